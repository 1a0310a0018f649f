//! Compression, told by the first bytes and not by what anyone says it is.

use std::io::{self, BufRead, Cursor, Read};

use super::UnpackError;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// RFC 1952, perhaps of several members.
    Gzip,
    /// RFC 8878, perhaps of several frames.
    Zstd,
    /// bzip2, perhaps of several streams. Not for layers.
    Bzip2,
    /// xz, perhaps of several streams. Not for layers.
    Xz,
}

/// How much memory an xz stream may ask for: more than `xz -9` does.
const XZ_MEMORY: u64 = 128 << 20;

impl Compression {
    /// What begins with `head` (at least six bytes, unless there are fewer).
    pub fn detect(head: &[u8]) -> Self {
        if head.starts_with(&[0x1f, 0x8b, 8]) {
            return Self::Gzip;
        }
        // A zstd stream may begin with a skippable frame (stargz does that).
        if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
            || (head.len() >= 4 && head[0] & 0xf0 == 0x50 && head[1..4] == [0x2a, 0x4d, 0x18])
        {
            return Self::Zstd;
        }
        if head.starts_with(b"BZh") {
            return Self::Bzip2;
        }
        if head.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
            return Self::Xz;
        }
        Self::None
    }

    /// Whether a registry takes layers compressed this way.
    pub fn is_for_layers(self) -> bool {
        !matches!(self, Self::Bzip2 | Self::Xz)
    }

    /// The OCI media type of a layer compressed this way; there is none for
    /// those that registries don't know.
    pub fn layer_media_type(self) -> &'static str {
        match self {
            Self::None | Self::Bzip2 | Self::Xz => "application/vnd.oci.image.layer.v1.tar",
            Self::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
            Self::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
        }
    }
}

type Whole<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// A reader of the plain bytes.
pub(crate) enum Decoder<R: BufRead> {
    /// As they come.
    Plain(Whole<R>),
    /// Through inflate.
    Gzip(Box<flate2::bufread::MultiGzDecoder<Whole<R>>>),
    /// Through zstd; its own default bounds the window to 128 MiB.
    Zstd(Box<zstd::stream::read::Decoder<'static, Whole<R>>>),
    /// Through bzip2.
    Bzip2(Box<bzip2::bufread::MultiBzDecoder<Whole<R>>>),
    /// Through xz.
    Xz(Box<liblzma::bufread::XzDecoder<Whole<R>>>),
}

/// Looks at the first bytes of `input` and decodes accordingly.
pub(crate) fn decoder<R: BufRead>(mut input: R) -> Result<Decoder<R>, UnpackError> {
    let mut head = Vec::new();
    (&mut input)
        .take(6)
        .read_to_end(&mut head)
        .map_err(UnpackError::Decompress)?;
    let compression = Compression::detect(&head);
    let whole = Cursor::new(head).chain(input);
    Ok(match compression {
        Compression::None => Decoder::Plain(whole),
        Compression::Gzip => Decoder::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(whole))),
        Compression::Zstd => Decoder::Zstd(Box::new(
            zstd::stream::read::Decoder::with_buffer(whole).map_err(UnpackError::Decompress)?,
        )),
        Compression::Bzip2 => Decoder::Bzip2(Box::new(bzip2::bufread::MultiBzDecoder::new(whole))),
        Compression::Xz => {
            let flags = liblzma::stream::CONCATENATED;
            let stream = liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, flags)
                .map_err(|e| UnpackError::Decompress(e.into()))?;
            Decoder::Xz(Box::new(liblzma::bufread::XzDecoder::new_stream(
                whole, stream,
            )))
        }
    })
}

impl<R: BufRead> Decoder<R> {
    /// How the stream was compressed.
    pub fn compression(&self) -> Compression {
        match self {
            Self::Plain(_) => Compression::None,
            Self::Gzip(_) => Compression::Gzip,
            Self::Zstd(_) => Compression::Zstd,
            Self::Bzip2(_) => Compression::Bzip2,
            Self::Xz(_) => Compression::Xz,
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Gzip(reader) => reader.read(buffer),
            Self::Zstd(reader) => reader.read(buffer),
            Self::Bzip2(reader) => reader.read(buffer),
            Self::Xz(reader) => reader.read(buffer),
        }
    }
}

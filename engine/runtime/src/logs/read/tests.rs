//! Logs written by the encoders, read back in every way.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

use dhow_model::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::logs::{Stream, json, local};

mod damage;
mod following;

const SECOND: i64 = 1_000_000_000;

/// A record to be written.
#[derive(Debug, Clone)]
struct Piece {
    stream: Stream,
    nanos: i64,
    text: Vec<u8>,
    complete: bool,
}

fn piece(number: i64) -> Piece {
    Piece {
        stream: match number % 3 {
            0 => Stream::Stderr,
            _ => Stream::Stdout,
        },
        nanos: number * SECOND + number,
        text: format!("line {number}").into_bytes(),
        complete: true,
    }
}

fn pieces(numbers: std::ops::Range<i64>) -> Vec<Piece> {
    numbers.map(piece).collect()
}

fn encoded(format: Format, pieces: &[Piece]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = json::Encoder::new(&BTreeMap::new());
    for p in pieces {
        let time = Timestamp::from_nanos(p.nanos);
        match format {
            Format::Json => encoder.encode(&mut out, p.stream, time, &p.text, p.complete),
            Format::Local => local::encode(
                &mut out,
                &local::Record {
                    kind: local::Kind::Line {
                        stream: p.stream,
                        complete: p.complete,
                    },
                    time,
                    content: &p.text,
                },
            ),
        }
    }
    out
}

/// What a client is to be sent.
fn frames(format: Format, pieces: &[Piece]) -> Vec<u8> {
    let mut out = Vec::new();
    for p in pieces {
        // JSON has no bytes that are not UTF-8.
        let mut text = match format {
            Format::Json => p
                .text
                .utf8_chunks()
                .flat_map(|c| {
                    let odd = "\u{fffd}".repeat(c.invalid().len());
                    format!("{}{odd}", c.valid()).into_bytes()
                })
                .collect(),
            Format::Local => p.text.clone(),
        };
        if p.complete {
            text.push(b'\n');
        }
        out.extend([p.stream as u8 + 1, 0, 0, 0]);
        out.extend((text.len() as u32).to_be_bytes());
        out.extend(text);
    }
    out
}

fn all() -> Selection {
    Selection {
        stdout: true,
        stderr: true,
        frames: true,
        ..Selection::default()
    }
}

/// A log in a directory of its own.
struct Files {
    _directory: tempfile::TempDir,
    path: PathBuf,
    format: Format,
}

impl Files {
    fn new(format: Format) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            path: directory.path().join("x-json.log"),
            _directory: directory,
            format,
        }
    }

    fn name(&self, extension: &str) -> PathBuf {
        format!("{}{extension}", self.path.display()).into()
    }

    fn write(&self, extension: &str, bytes: &[u8]) {
        fs::write(self.name(extension), bytes).unwrap();
    }

    fn append(&self, bytes: &[u8]) {
        let mut options = File::options();
        let mut file = options.create(true).append(true).open(&self.path).unwrap();
        file.write_all(bytes).unwrap();
    }

    /// As the shim does it.
    fn turn_over(&self) {
        for number in (1..8).rev() {
            for extension in ["", ".gz"] {
                let from = self.name(&format!(".{number}{extension}"));
                if from.exists() {
                    fs::rename(from, self.name(&format!(".{}{extension}", number + 1))).unwrap();
                }
            }
        }
        fs::rename(&self.path, self.name(".1")).unwrap();
    }

    fn compress(&self, extension: &str) {
        let plain = self.name(extension);
        let out = File::create(self.name(&format!("{extension}.gz"))).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
        encoder.write_all(&fs::read(&plain).unwrap()).unwrap();
        encoder.finish().unwrap();
        fs::remove_file(plain).unwrap();
    }

    fn open(&self, selection: Selection) -> Reader {
        Reader::open(&self.path, self.format, selection).unwrap()
    }

    fn read(&self, selection: Selection) -> Vec<u8> {
        rest(&mut self.open(selection))
    }
}

fn rest(reader: &mut Reader) -> Vec<u8> {
    let mut out = Vec::new();
    // A small limit, so that every read stops somewhere in between.
    while reader.read(&mut out, 0).unwrap() == Progress::More {}
    out
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

const FORMATS: [Format; 2] = [Format::Json, Format::Local];

#[test]
fn no_file_is_an_empty_log() {
    let files = Files::new(Format::Json);
    assert_eq!(files.read(all()), b"");
    let mut reader = files.open(Selection {
        follow: true,
        ..all()
    });
    assert_eq!(rest(&mut reader), b"");
    files.append(&encoded(Format::Json, &pieces(0..2)));
    assert_eq!(rest(&mut reader), frames(Format::Json, &pieces(0..2)));
}

#[test]
fn lines_in_other_forms_are_understood_or_left_out() {
    let check = |line: &str, expected: &str| {
        let files = Files::new(Format::Json);
        files.write("", format!("{line}\n").as_bytes());
        let selection = Selection {
            frames: false,
            timestamps: true,
            ..all()
        };
        assert_eq!(text(files.read(selection)), expected, "{line}");
    };
    check(
        r#"{"log":"a\u0041\t\"\\\/\ud83d\ude00\ud800x\n","stream":"stdout","time":"2020-01-02T03:04:05.12Z"}"#,
        "2020-01-02T03:04:05.120000000Z aA\t\"\\/😀\u{fffd}x\n",
    );
    check(
        r#"{"stream":"stderr","time":"2020-01-02T03:04:05Z"}"#,
        "2020-01-02T03:04:05.000000000Z ",
    );
    check(
        r#"{"time": "2020-01-02T04:04:05.5+01:00", "stream": "stdout", "log": "x\n", "more": [1]}"#,
        "2020-01-02T03:04:05.500000000Z x\n",
    );
    check(
        "\0\0\0{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2020-01-02T03:04:05Z\"}",
        "2020-01-02T03:04:05.000000000Z x\n",
    );
    for nothing in [
        "",
        "\0\0\0\0",
        "{",
        "not JSON",
        r#"{"log":"x","stream":"stdin","time":"2020-01-02T03:04:05Z"}"#,
        r#"{"log":"x","stream":"stdout","time":"yesterday, or so, Z"}"#,
        r#"{"log":"x\","stream":"stdout","time":"2020-01-02T03:04:05Z"}"#,
        r#"{"log":"x","stream":"stdout","attrs":{"a":"b","time":"2020-01-02T03:04:05Z"}"#,
    ] {
        check(nothing, "");
    }
}

#[test]
fn attributes_are_shown_as_docker_does() {
    let selection = Selection {
        details: true,
        frames: false,
        ..all()
    };
    let attributes: BTreeMap<String, String> = [("tag", "a b"), ("k&", "}\"é")]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
    let expected = "k%26=%7D%22%C3%A9,tag=a+b one\n";

    let files = Files::new(Format::Json);
    let mut out = Vec::new();
    let time = Timestamp::from_secs(1);
    json::Encoder::new(&attributes).encode(&mut out, Stream::Stdout, time, b"one", true);
    files.write("", &out);
    assert_eq!(text(files.read(selection.clone())), expected);

    let files = Files::new(Format::Local);
    let mut out = Vec::new();
    local::encode(
        &mut out,
        &local::Record {
            kind: local::Kind::Attributes,
            time,
            content: &serde_json::to_vec(&attributes).unwrap(),
        },
    );
    out.extend(encoded(Format::Local, &pieces(0..5)));
    let one = Piece {
        text: b"one".to_vec(),
        ..piece(1)
    };
    out.extend(encoded(Format::Local, &[one]));
    files.write("", &out);
    let tail = Selection {
        tail: Some(1),
        ..selection.clone()
    };
    assert_eq!(text(files.read(tail)), expected);
    assert_eq!(text(files.read(selection)).lines().count(), 6);
}

#[test]
fn the_streams_are_chosen_after_the_tail() {
    for format in FORMATS {
        let files = Files::new(format);
        files.write("", &encoded(format, &pieces(0..10)));
        let selection = Selection {
            stdout: false,
            tail: Some(5),
            ..all()
        };
        let expected = frames(format, &[piece(6), piece(9)]);
        assert_eq!(files.read(selection), expected, "{format:?}");
    }
}

#[test]
fn the_period_begins_once_and_ends_for_good() {
    for format in FORMATS {
        let files = Files::new(format);
        let mut written = pieces(0..5);
        // The clock was set back.
        written.extend(pieces(1..4));
        written.extend(pieces(6..9));
        files.write("", &encoded(format, &written));
        let mut reader = files.open(Selection {
            since: Some(piece(2).nanos),
            until: Some(piece(7).nanos),
            ..all()
        });
        assert_eq!(
            rest(&mut reader),
            frames(format, &written[2..10]),
            "{format:?}"
        );
        assert_eq!(reader.read(&mut Vec::new(), 1).unwrap(), Progress::Over);
    }
}

#[test]
fn rotated_files_are_one_log() {
    for format in FORMATS {
        let files = Files::new(format);
        let whole = pieces(0..40);
        for (extension, part) in [(".3", 0..10), (".2", 10..20), (".1", 20..30), ("", 30..40)] {
            files.write(extension, &encoded(format, &whole[part]));
        }
        files.compress(".3");
        files.compress(".2");
        assert_eq!(files.read(all()), frames(format, &whole), "{format:?}");
        for tail in 0..=45 {
            let selection = Selection {
                tail: Some(tail as u64),
                ..all()
            };
            let expected = frames(format, &whole[40_usize.saturating_sub(tail)..]);
            assert_eq!(files.read(selection), expected, "{format:?} {tail}");
        }
    }
}

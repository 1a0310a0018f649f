//! Torn, damaged and arbitrary logs.

use super::*;

#[test]
fn torn_records_wait_for_their_end_or_vanish() {
    for format in FORMATS {
        let bytes = encoded(format, &pieces(0..3));
        let two = encoded(format, &pieces(0..2)).len();
        for cut in two..bytes.len() {
            let files = Files::new(format);
            files.append(&bytes[..cut]);
            for tail in [None, Some(0), Some(1), Some(5)] {
                let first = tail.map_or(0, |t| 2 - t.min(2)) as i64;
                let selection = Selection { tail, ..all() };
                assert_eq!(files.read(selection), frames(format, &pieces(first..2)));
            }
            // The shim that finds it cuts it off and writes over it.
            let follow = Selection {
                follow: true,
                tail: Some(1),
                ..all()
            };
            let (mut completed, mut mended) = (files.open(follow.clone()), files.open(follow));
            for reader in [&mut completed, &mut mended] {
                assert_eq!(rest(reader), frames(format, &pieces(1..2)));
            }
            files.append(&bytes[cut..]);
            assert_eq!(rest(&mut completed), frames(format, &pieces(2..3)));
            let file = File::options().write(true).open(&files.path).unwrap();
            file.set_len(two as u64).unwrap();
            files.append(&encoded(format, &pieces(7..9)));
            assert_eq!(rest(&mut mended), frames(format, &pieces(7..9)));
        }
    }
}

#[test]
fn damage_costs_what_is_damaged() {
    let files = Files::new(Format::Json);
    files.append(&encoded(Format::Json, &pieces(0..2)));
    files.append(&vec![b'x'; 20 * 1024 * 1024]);
    files.append(b"\n");
    files.append(&encoded(Format::Json, &pieces(2..4)));
    assert_eq!(files.read(all()), frames(Format::Json, &pieces(0..4)));

    // Records without an end of their own cannot be found again, but what is
    // appended later can.
    let files = Files::new(Format::Local);
    files.append(&encoded(Format::Local, &pieces(0..2)));
    files.append(&[0xff; 100]);
    let mut reader = files.open(Selection {
        follow: true,
        ..all()
    });
    assert_eq!(rest(&mut reader), frames(Format::Local, &pieces(0..2)));
    files.append(&encoded(Format::Local, &pieces(2..4)));
    assert_eq!(rest(&mut reader), frames(Format::Local, &pieces(2..4)));
}

fn any_piece() -> impl Strategy<Value = Piece> {
    let text = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..60),
        4 => "\\PC{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..16 * 1024),
        1 => Just(vec![0; 16 * 1024]),
    ];
    (any::<bool>(), 0..i64::MAX / 2, text, any::<bool>()).prop_map(
        |(stderr, nanos, text, complete)| Piece {
            stream: if stderr {
                Stream::Stderr
            } else {
                Stream::Stdout
            },
            nanos,
            // No line feed is within a line.
            text: text
                .into_iter()
                .map(|b| if b == b'\n' { b' ' } else { b })
                .collect(),
            complete,
        },
    )
}

fn any_log() -> impl Strategy<Value = (Format, Vec<Piece>)> {
    let pieces = prop::collection::vec(any_piece(), 0..60);
    (prop::sample::select(&FORMATS[..]), pieces)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_was_written_is_read(
        (format, written) in any_log(),
        turns in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        tail in 0..80_usize,
    ) {
        let files = Files::new(format);
        let mut turns: Vec<usize> = turns.iter().map(|t| t.index(written.len() + 1)).collect();
        turns.sort_unstable();
        let mut from = 0;
        for (index, to) in turns.iter().enumerate() {
            files.append(&encoded(format, &written[from..*to]));
            files.turn_over();
            if index % 2 == 0 && from < *to {
                files.compress(".1");
            }
            from = *to;
        }
        files.append(&encoded(format, &written[from..]));
        prop_assert_eq!(files.read(all()), frames(format, &written));
        let selection = Selection { tail: Some(tail as u64), ..all() };
        let last = &written[written.len().saturating_sub(tail)..];
        prop_assert_eq!(files.read(selection), frames(format, last));
    }

    #[test]
    fn it_may_come_in_any_pieces(
        (format, written) in any_log(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let files = Files::new(format);
        let bytes = encoded(format, &written);
        let mut reader = files.open(Selection { follow: true, ..all() });
        let mut cuts: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        cuts.push(bytes.len());
        let mut got = Vec::new();
        let mut from = 0;
        for to in cuts {
            files.append(&bytes[from..to]);
            got.extend(rest(&mut reader));
            from = to;
        }
        prop_assert_eq!(got, frames(format, &written));
    }

    #[test]
    fn anything_can_be_read(
        format in prop::sample::select(&FORMATS[..]),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        tail in prop::option::of(0..5_u64),
    ) {
        let files = Files::new(format);
        files.write("", &bytes);
        files.write(".1.gz", &bytes);
        files.read(Selection { tail, details: true, timestamps: true, since: Some(0), ..all() });
    }

    #[test]
    fn times_are_those_that_were_written(nanos in -2_000_000_000 * SECOND..4_000_000_000 * SECOND) {
        let expected = format!("{} x\n", Timestamp::from_nanos(nanos).fixed());
        for format in FORMATS {
            let files = Files::new(format);
            let piece = Piece { nanos, text: b"x".to_vec(), ..piece(1) };
            files.write("", &encoded(format, &[piece]));
            let selection = Selection { timestamps: true, frames: false, ..all() };
            prop_assert_eq!(&text(files.read(selection.clone())), &expected);
            let late = Selection { since: Some(nanos + 1), ..selection.clone() };
            prop_assert_eq!(text(files.read(late)), "");
            let exact = Selection { since: Some(nanos), until: Some(nanos), ..selection };
            prop_assert_eq!(&text(files.read(exact)), &expected);
        }
    }
}

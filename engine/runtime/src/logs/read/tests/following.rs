//! Reading on while the log grows, turns over or ends.

use super::*;

#[test]
fn following_goes_on_over_turns() {
    for format in FORMATS {
        for compressed in [false, true] {
            let files = Files::new(format);
            let put = |range| files.append(&encoded(format, &pieces(range)));
            put(0..10);
            let mut reader = files.open(Selection {
                tail: Some(3),
                follow: true,
                ..all()
            });
            let mut check = |range| {
                let got = rest(&mut reader);
                assert_eq!(got, frames(format, &pieces(range)), "{format:?}");
            };
            check(7..10);
            check(0..0);
            put(10..12);
            check(10..12);
            // Something is written, then the log turns over.
            put(12..14);
            files.turn_over();
            check(12..14);
            check(0..0);
            put(14..20);
            // And twice, without anyone looking.
            files.turn_over();
            if compressed {
                files.compress(".1");
            }
            put(20..22);
            files.turn_over();
            if compressed {
                files.compress(".1");
            }
            check(14..22);
            put(22..23);
            check(22..23);
        }
    }
}

#[test]
fn a_file_that_is_emptied_is_read_anew() {
    for format in FORMATS {
        let files = Files::new(format);
        files.append(&encoded(format, &pieces(0..10)));
        let mut reader = files.open(Selection {
            follow: true,
            ..all()
        });
        assert_eq!(rest(&mut reader), frames(format, &pieces(0..10)));
        files.write("", &encoded(format, &pieces(10..12)));
        assert_eq!(rest(&mut reader), frames(format, &pieces(10..12)));
    }
}

#[test]
fn without_following_there_is_an_end() {
    let files = Files::new(Format::Json);
    files.append(&encoded(Format::Json, &pieces(0..3)));
    let mut reader = files.open(all());
    files.append(&encoded(Format::Json, &pieces(3..6)));
    assert_eq!(rest(&mut reader), frames(Format::Json, &pieces(0..3)));
}

#[test]
fn following_can_end_where_the_log_is() {
    for format in FORMATS {
        let files = Files::new(format);
        let put = |range| files.append(&encoded(format, &pieces(range)));
        put(0..3);
        let mut reader = files.open(Selection {
            follow: true,
            ..all()
        });
        assert_eq!(rest(&mut reader), frames(format, &pieces(0..3)));
        put(3..5);
        files.turn_over();
        put(5..8);
        reader.end_here().unwrap();
        put(8..10);
        files.turn_over();
        put(10..12);
        assert_eq!(
            rest(&mut reader),
            frames(format, &pieces(3..8)),
            "{format:?}"
        );
        assert_eq!(rest(&mut reader), b"");
    }
}

//! Searches as they are asked of the index.

use super::entry::runs;
use super::*;

fn find(owner_seq: i64, text: &str) -> Search {
    let wanted = Wanted {
        text: name_key(text),
        ..Wanted::default()
    };
    Search::new(owner_seq, &wanted).expect("not empty")
}

#[test]
fn names_are_compared_without_case_and_composed() {
    assert_eq!(name_key("Ärger.PDF"), "ärger.pdf");
    assert_eq!(name_key("A\u{308}rger.pdf"), "ärger.pdf");
}

#[test]
fn one_letter_is_the_beginning_of_a_run_wherever_it_stands() {
    let all = runs(17, "a.pdf");
    for text in ["f", "df"] {
        let characters: Vec<char> = text.chars().collect();
        let beginning = run(17, &characters);
        assert!(
            all.iter().any(|run| run.starts_with(&beginning)),
            "{text}: {all:?}"
        );
        let asked = find(17, text).parts[0].expression(17, &SQLITE);
        assert!(asked.contains(&format!("\"{beginning}\"*")), "{asked}");
    }
}

#[test]
fn words_are_letters_and_digits_that_stand_together() {
    let words: Vec<_> = words_of(&name_key("Größe: 12,5 m (ca.) naïve—ÉTÉ \u{1f600}")).collect();
    assert_eq!(words, ["größe", "12", "5", "m", "ca", "naïve", "été"]);
    assert_eq!(words_of(&"x".repeat(99)).next().expect("a word").len(), 30);
}

#[test]
fn x5_nothing_that_is_asked_can_be_an_operator_of_either_index() {
    let hostile = "\" OR *'; DROP-- :* ) ( & | ! <-> NEAR(a, 2) NOT ^ \u{0} \\ %_ {} col:x";
    let wanted = Wanted {
        text: name_key(hostile),
        tag: Some("a\" OR 'b' & :*".to_owned()),
        family: Some(Family::Pdf),
        status: Some("gone"),
    };
    let search = Search::new(255, &wanted).expect("not empty");
    for (language, marks) in [(&SQLITE, ["AND", "OR"]), (&POSTGRES, ["&", "|"])] {
        let asked = search
            .parts
            .iter()
            .map(|part| part.expression(255, language))
            .collect::<Vec<_>>()
            .join(language.and);
        // What is left when words in quotes, which are letters and digits, are taken away.
        let quoted: Vec<&str> = asked.split(language.quote).collect();
        for (at, piece) in quoted.iter().enumerate() {
            if at % 2 == 1 {
                assert!(
                    piece.starts_with("ffg") || piece.starts_with("ffw"),
                    "{piece} in {asked}"
                );
                assert!(piece.bytes().all(|b| b.is_ascii_alphanumeric()), "{piece}");
            } else {
                for word in piece.split_whitespace() {
                    let bare = word.trim_matches(['(', ')', '*', ':']);
                    assert!(bare.is_empty() || marks.contains(&bare), "{word} in {asked}");
                }
            }
        }
    }
    assert_eq!(tag(255, "a\""), "fft6122");
    assert_eq!(find(1, r"50%_\").parts[0].name_pattern, r"%50\%\_\\%");
    assert_eq!(search.tag_pattern.as_deref(), Some("%,a\" OR 'b' & :*,%"));
}

#[test]
fn a_search_has_a_bounded_number_of_parts() {
    let many: String = (0..100).map(|n| format!("{n} ")).collect();
    assert_eq!(find(1, &many).parts.len(), MAX_PARTS);
    assert!(Search::new(1, &Wanted::default()).is_none());
    let blank = Wanted {
        text: " \u{a0}\n".to_owned(),
        ..Wanted::default()
    };
    assert!(Search::new(1, &blank).is_none());
}

//! Reads Rust source just well enough to list the paths it names: comments and literals are left out, `use` groups are
//! spelled out, `super` and `self` are resolved. Not a parser: it needs no dependency and cannot be confused by code
//! that has not been compiled yet.

use std::iter::Peekable;
use std::str::Chars;

/// A path as the source names it, `crate` first when it is one of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedPath {
    pub line: usize,
    pub segments: Vec<String>,
}

impl NamedPath {
    /// Whether the path holds these segments one after the other.
    pub fn holds(&self, wanted: &[&str]) -> bool {
        self.segments.windows(wanted.len()).any(|window| window == wanted)
    }
}

/// Every path of more than one segment, in a file that is the module `module` (`[]` for the crate's root).
pub fn paths(source: &str, module: &[String]) -> Vec<NamedPath> {
    let tokens = tokens(source);
    let mut walk = Walk {
        tokens: &tokens,
        at: 0,
        found: Vec::new(),
    };
    let mut scopes = Scopes::new(module);
    while let Some(token) = walk.peek(0) {
        let is_member = walk.at > 0 && tokens[walk.at - 1].text == ".";
        scopes.see(&tokens, walk.at);
        if is_word(&token.text) && !is_member {
            let from = walk.found.len();
            walk.path(&mut Vec::new());
            for path in &mut walk.found[from..] {
                scopes.resolve(&mut path.segments);
            }
        } else {
            walk.at += 1;
        }
    }
    walk.found.retain(|path| path.segments.len() > 1);
    walk.found
}

struct Token {
    line: usize,
    text: String,
}

struct Walk<'a> {
    tokens: &'a [Token],
    at: usize,
    found: Vec<NamedPath>,
}

impl Walk<'_> {
    fn peek(&self, ahead: usize) -> Option<&Token> {
        self.tokens.get(self.at + ahead)
    }

    fn is(&self, ahead: usize, text: &str) -> bool {
        self.peek(ahead).is_some_and(|token| token.text == text)
    }

    /// One path from here on, a group of a `use` expanded.
    fn path(&mut self, prefix: &mut Vec<String>) {
        let outer = prefix.len();
        let line = self.peek(0).map_or(0, |token| token.line);
        while let Some(token) = self
            .peek(0)
            .filter(|token| is_word(&token.text) || token.text == "*")
        {
            prefix.push(token.text.clone());
            self.at += 1;
            if !self.is(0, "::") {
                break;
            }
            self.at += 1;
            if self.is(0, "{") {
                self.group(prefix);
                prefix.truncate(outer);
                return;
            }
        }
        let mut segments = prefix.clone();
        if outer > 0 && segments.last().is_some_and(|last| last == "self") {
            segments.pop();
        }
        self.found.push(NamedPath { line, segments });
        prefix.truncate(outer);
    }

    fn group(&mut self, prefix: &mut Vec<String>) {
        self.at += 1;
        while let Some(token) = self.peek(0) {
            match token.text.as_str() {
                "}" => {
                    self.at += 1;
                    return;
                }
                "as" => self.at += 2,
                text if is_word(text) || text == "*" => self.path(prefix),
                _ => self.at += 1,
            }
        }
    }
}

/// The inline modules around a place, so that `super` can be resolved.
struct Scopes {
    file: Vec<String>,
    depth: usize,
    inline: Vec<(usize, String)>,
}

impl Scopes {
    fn new(module: &[String]) -> Self {
        Self {
            file: module.to_vec(),
            depth: 0,
            inline: Vec::new(),
        }
    }

    fn see(&mut self, tokens: &[Token], at: usize) {
        match tokens[at].text.as_str() {
            "{" => {
                self.depth += 1;
                if at >= 2 && tokens[at - 2].text == "mod" {
                    self.inline.push((self.depth, tokens[at - 1].text.clone()));
                }
            }
            "}" => {
                self.inline.retain(|(depth, _)| *depth < self.depth);
                self.depth = self.depth.saturating_sub(1);
            }
            _ => {}
        }
    }

    fn resolve(&self, segments: &mut Vec<String>) {
        if !matches!(segments[0].as_str(), "self" | "super") || segments.len() < 2 {
            return;
        }
        let mut module = self.file.clone();
        module.extend(self.inline.iter().map(|(_, name)| name.clone()));
        let mut rest = segments.as_slice();
        while let [first, tail @ ..] = rest {
            match first.as_str() {
                "self" => {}
                "super" => drop(module.pop()),
                _ => break,
            }
            rest = tail;
        }
        *segments = std::iter::once("crate".to_owned())
            .chain(module)
            .chain(rest.iter().cloned())
            .collect();
    }
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn tokens(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        rest: source.chars().peekable(),
        line: 1,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token() {
        tokens.push(token);
    }
    tokens
}

struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
}

impl Lexer<'_> {
    fn token(&mut self) -> Option<Token> {
        loop {
            let c = self.next()?;
            match c {
                '/' if self.rest.peek() == Some(&'/') => while self.next().is_some_and(|c| c != '\n') {},
                '/' if self.rest.peek() == Some(&'*') => self.block_comment(),
                '"' => self.string(),
                '\'' => self.quote(),
                ':' if self.rest.peek() == Some(&':') => {
                    self.next();
                    return Some(Token {
                        line: self.line,
                        text: "::".to_owned(),
                    });
                }
                c if c.is_whitespace() => {}
                c if c.is_alphanumeric() || c == '_' => {
                    let line = self.line;
                    let text = self.word(c);
                    if !self.prefixed_string(&text) {
                        return Some(Token { line, text });
                    }
                }
                c => {
                    return Some(Token {
                        line: self.line,
                        text: c.to_string(),
                    });
                }
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(&c) = self.rest.peek().filter(|c| c.is_alphanumeric() || **c == '_') {
            word.push(c);
            self.next();
        }
        word
    }

    /// Swallows the string behind `r`, `b`, `br`, `c` or `cr`; a raw identifier is left to come as a word of its own.
    fn prefixed_string(&mut self, prefix: &str) -> bool {
        if !matches!(prefix, "r" | "b" | "br" | "c" | "cr") {
            return false;
        }
        match self.rest.peek() {
            Some('"') if prefix.contains('r') => self.raw_string(0),
            Some('"') => {
                self.next();
                self.string();
            }
            Some('#') if prefix.contains('r') => {
                let mut hashes = 0;
                while self.rest.peek() == Some(&'#') {
                    self.next();
                    hashes += 1;
                }
                if self.rest.peek() == Some(&'"') {
                    self.raw_string(hashes);
                }
            }
            _ => return false,
        }
        true
    }

    fn raw_string(&mut self, hashes: usize) {
        self.next();
        while let Some(c) = self.next() {
            if c != '"' {
                continue;
            }
            let mut closing = 0;
            while closing < hashes && self.rest.peek() == Some(&'#') {
                self.next();
                closing += 1;
            }
            if closing == hashes {
                return;
            }
        }
    }

    fn string(&mut self) {
        while let Some(c) = self.next() {
            match c {
                '\\' => drop(self.next()),
                '"' => return,
                _ => {}
            }
        }
    }

    /// A character literal or a lifetime; only the first has a closing quote.
    fn quote(&mut self) {
        match self.next() {
            Some('\\') => {
                self.next();
                while self.next().is_some_and(|c| c != '\'') {}
            }
            Some(c) if c.is_alphanumeric() || c == '_' => {
                self.word(c);
                if self.rest.peek() == Some(&'\'') {
                    self.next();
                }
            }
            _ => drop(self.next()),
        }
    }

    fn block_comment(&mut self) {
        self.next();
        let mut depth = 1;
        while depth > 0 {
            match (self.next(), self.rest.peek()) {
                (Some('*'), Some('/')) => {
                    self.next();
                    depth -= 1;
                }
                (Some('/'), Some('*')) => {
                    self.next();
                    depth += 1;
                }
                (None, _) => return,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::paths;

    fn found(source: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|name| (*name).to_owned()).collect();
        paths(source, &module)
            .into_iter()
            .map(|path| format!("{} {}", path.line, path.segments.join("::")))
            .collect()
    }

    #[test]
    fn a_group_in_a_group_is_spelled_out() {
        let source = "use crate::{\n    db::{self, models::{documents, uploads as up}},\n    error::*,\n};";
        assert_eq!(
            found(source, &["web"]),
            [
                "2 crate::db",
                "2 crate::db::models::documents",
                "2 crate::db::models::uploads",
                "3 crate::error::*"
            ]
        );
    }

    #[test]
    fn a_path_in_an_expression_is_seen() {
        let source = "fn f() -> crate::db::Row {\n    let now = ::std::time::SystemTime::now();\n}";
        assert_eq!(
            found(source, &[]),
            ["1 crate::db::Row", "2 std::time::SystemTime::now"]
        );
    }

    #[test]
    fn super_climbs_out_of_files_and_inline_modules() {
        let source = "use super::super::db::Row;\nmod tests {\n    use super::x::y;\n    fn f() { super::z(); }\n}\nuse self::w;";
        assert_eq!(
            found(source, &["web", "api"]),
            [
                "1 crate::db::Row",
                "3 crate::web::api::x::y",
                "4 crate::web::api::z",
                "6 crate::web::api::w"
            ]
        );
    }

    #[test]
    fn comments_and_literals_name_nothing() {
        let source = r##"
            //! crate::db
            /* crate::db /* crate::db */ crate::db */
            const A: &str = "crate::db \" crate::db";
            const B: &str = r#"crate::db " crate::db"#;
            const C: &[u8] = b"crate::db";
            fn f<'a>(c: char) -> bool { c == '"' || c == '\'' || c == '\u{22}' }
            use crate::ids::A;
        "##;
        assert_eq!(found(source, &[]), ["8 crate::ids::A"]);
    }

    #[test]
    fn a_method_call_is_no_path() {
        assert_eq!(found("a.b.c(); x.crate_::<T>();", &[]), Vec::<String>::new());
    }
}

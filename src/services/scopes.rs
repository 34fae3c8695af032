//! What an API token may do: all that its owner may, or what its scopes name.

use std::fmt;

/// One kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Look at documents and have their files.
    DocumentsRead,
    /// Rename and delete documents, and whatever else changes them.
    DocumentsWrite,
    /// Add documents.
    UploadsWrite,
    /// Look at the account's own pages.
    AccountRead,
    /// See and steer what administrators do, if the owner is one.
    Admin,
}

impl Scope {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Scope; 5] = [
        Scope::DocumentsRead,
        Scope::DocumentsWrite,
        Scope::UploadsWrite,
        Scope::AccountRead,
        Scope::Admin,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::DocumentsRead => "documents:read",
            Scope::DocumentsWrite => "documents:write",
            Scope::UploadsWrite => "uploads:write",
            Scope::AccountRead => "account:read",
            Scope::Admin => "admin",
        }
    }

    /// What a token is told that lacks it.
    pub fn lacking(self) -> &'static str {
        match self {
            Scope::DocumentsRead => {
                "This API token lacks the scope documents:read. Make a token with it, or one without scopes."
            }
            Scope::DocumentsWrite => {
                "This API token lacks the scope documents:write. Make a token with it, or one without scopes."
            }
            Scope::UploadsWrite => {
                "This API token lacks the scope uploads:write. Make a token with it, or one without scopes."
            }
            Scope::AccountRead => {
                "This API token lacks the scope account:read. Make a token with it, or one without scopes."
            }
            Scope::Admin => {
                "This API token lacks the scope admin. Make a token with it, or one without scopes."
            }
        }
    }

    /// The scope that a request needs. What is not named here is about documents: reading them (several as one ZIP too), or changing
    /// them.
    pub fn of_request(is_safe: bool, path: &str) -> Self {
        let within = |place: &str| {
            path.strip_prefix(place)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if within("/admin") || within("/api/admin") || within("/metrics") {
            Scope::Admin
        } else if within("/account") || within("/api/account") {
            Scope::AccountRead
        } else if within("/api/uploads") && (!is_safe || within("/api/uploads/picker-config")) {
            Scope::UploadsWrite
        } else if is_safe || within("/archive") || within("/api/archive") {
            Scope::DocumentsRead
        } else {
            Scope::DocumentsWrite
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Scope::ALL.into_iter().find(|scope| scope.as_str() == text);
        found.ok_or_else(|| {
            let names: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
            format!("{text} is no scope; they are {}", names.join(", "))
        })
    }
}

/// The scopes of a token; none is everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// These, each once.
    pub fn of(scopes: &[Scope]) -> Self {
        Scopes(
            Scope::ALL
                .into_iter()
                .filter(|scope| scopes.contains(scope))
                .collect(),
        )
    }

    /// Reads the column; a word that is not known any more allows nothing.
    pub fn read(text: &str) -> Self {
        Scopes(text.split(' ').filter_map(|word| word.parse().ok()).collect())
    }

    /// As the column has it.
    pub fn text(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|scope| scope.as_str()).collect();
        names.join(" ")
    }
}

/// Whether the scopes of this column allow a request that needs this one.
pub fn allow(column: &str, needed: Scope) -> bool {
    column.is_empty() || Scopes::read(column).0.contains(&needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a11_a_token_without_scopes_may_do_everything_and_one_with_scopes_only_those() {
        let some = Scopes::of(&[Scope::UploadsWrite, Scope::DocumentsRead, Scope::UploadsWrite]).text();
        assert_eq!(some, "documents:read uploads:write");
        for scope in Scope::ALL {
            assert!(allow("", scope));
            assert_eq!(
                allow(&some, scope),
                some.split(' ').any(|word| word == scope.as_str())
            );
            assert!(!allow("something-else", scope));
            assert!(scope.lacking().contains(scope.as_str()));
        }
    }

    #[test]
    fn what_a_request_needs_follows_from_its_address() {
        for (is_safe, path, scope) in [
            (true, "/api/documents", Scope::DocumentsRead),
            (true, "/documents/1/events", Scope::DocumentsRead),
            (false, "/api/documents/1", Scope::DocumentsWrite),
            (false, "/api/archive", Scope::DocumentsRead),
            (false, "/api/archived", Scope::DocumentsWrite),
            (false, "/api/uploads/v2", Scope::UploadsWrite),
            (true, "/api/uploads/picker-config", Scope::UploadsWrite),
            (true, "/api/uploads/1/download-url", Scope::DocumentsRead),
            (true, "/admin/users", Scope::Admin),
            (true, "/account", Scope::AccountRead),
            (true, "/administrators", Scope::DocumentsRead),
        ] {
            assert_eq!(Scope::of_request(is_safe, path), scope, "{path}");
        }
    }
}

//! Claims: the right to register files that a browser has stored by itself.
//!
//! A claim is nothing but its folder, `user-uploads/{owner}/{id}.{files}.{mac}/`: the policy given out with it lets the browser store
//! there and nowhere else, and when Filestack says that a file lies there, it is the owner's to register. The code at the end is ours,
//! so asking for a claim writes no row; the first file does, and counts (`db::models::claims`).

use std::time::Duration;

use crate::clock::UtcTime;
use crate::crypto;
use crate::ids::{DocumentId, UserId};

/// The most files of one claim.
pub const MOST_FILES: u16 = 100;
/// How long files may be registered after the claim was made: the longest upload, renewed policies included.
pub const LIFETIME: Duration = Duration::from_secs(24 * 3_600);
/// Characters of the code: 132 bits.
const CODE: usize = 22;

/// The right to register so many files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its id; of its first document, too.
    pub id: DocumentId,
    /// Whose.
    pub owner: UserId,
    /// How many files.
    pub files: u16,
}

impl Claim {
    /// A new claim of this moment.
    pub fn new(owner: UserId, files: u16, now: UtcTime) -> Self {
        Claim {
            id: DocumentId::new(now),
            owner,
            files,
        }
    }

    /// Its folder, as the policy names it.
    pub fn path(&self, key: &[u8; 32]) -> String {
        format!(
            "user-uploads/{}/{}.{}.{}/",
            self.owner,
            self.id,
            self.files,
            self.code(key)
        )
    }

    /// The claim whose folder this is, or in whose folder this file is; `None` when we have not made it.
    pub fn of_path(key: &[u8; 32], path: &str) -> Option<Self> {
        let mut parts = path.trim_start_matches('/').split('/');
        let place = parts.next()?;
        let owner = parts.next()?.parse().ok()?;
        let mut words = parts.next()?.split('.');
        let claim = Claim {
            owner,
            id: words.next()?.parse().ok()?,
            files: words.next()?.parse().ok()?,
        };
        let code = words.next()?;
        parts.next()?;
        let whole = place == "user-uploads" && words.next().is_none() && parts.next().is_none();
        (whole && crypto::same(code, &claim.code(key))).then_some(claim)
    }

    /// Whether it is too late to register a file of it.
    pub fn has_expired(&self, now: UtcTime) -> bool {
        now >= self.id.made_at().plus(LIFETIME)
    }

    fn code(&self, key: &[u8; 32]) -> String {
        let message = format!("{}/{}.{}", self.owner, self.id, self.files);
        let mut code = crypto::keyed_token(key, "claim", &message);
        code.truncate(CODE);
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn claim() -> Claim {
        let now = UtcTime::from_micros(1_700_000_000_000_000);
        Claim::new(UserId::new(now), 3, now)
    }

    #[test]
    fn a_claim_is_read_from_its_folder_and_from_a_file_in_it() {
        let path = claim().path(&KEY);
        let claim = Claim::of_path(&KEY, &path).expect("our own");
        assert_eq!(claim.files, 3);
        assert_eq!(Claim::of_path(&KEY, &format!("/{path}abc_a.pdf")), Some(claim));
    }

    #[test]
    fn s5_nobody_makes_a_claim_of_their_own() {
        let path = claim().path(&KEY);
        let other = UserId::new(UtcTime::from_micros(0)).to_string();
        for forged in [
            path.replace(".3.", ".4."),
            path.replace(&claim().owner.to_string(), &other),
            path.replacen("user-uploads", "uploads", 1),
            format!("{path}deeper/file"),
            path.trim_end_matches('/').to_owned(),
            path.replace(".3.", ".03."),
            format!("../{path}"),
            String::new(),
        ] {
            assert_ne!(
                Claim::of_path(&KEY, &forged).map(|claim| claim.path(&KEY)),
                Some(forged.clone()).filter(|_| forged != path)
            );
        }
        assert_eq!(Claim::of_path(&[8; 32], &path), None);
        assert_eq!(Claim::of_path(&KEY, &path.replace(".3.", ".4.")), None);
    }

    #[test]
    fn it_ends_a_day_after_it_was_made() {
        let claim = claim();
        let made = claim.id.made_at();
        assert!(!claim.has_expired(made.plus(LIFETIME - Duration::from_secs(1))));
        assert!(claim.has_expired(made.plus(LIFETIME)));
    }
}

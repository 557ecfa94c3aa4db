//! Numbers that stand for the words of the permission model in rows. Part of the file format: never change one.

use super::{Error, Row, Value};
use crate::auth::{Level, Role, Visibility};

/// A word with a number of its own in rows.
pub(super) trait Coded: Copy + PartialEq + Sized + 'static {
    /// Every word with its number.
    const CODES: &'static [(Self, i64)];
    /// What a column with another number is not.
    const WANTED: &'static str;
}

impl Coded for Visibility {
    const CODES: &'static [(Self, i64)] = &[(Self::Private, 1), (Self::Org, 2), (Self::Public, 3)];
    const WANTED: &'static str = "a visibility";
}

impl Coded for Level {
    const CODES: &'static [(Self, i64)] = &[(Self::Read, 1), (Self::Write, 2), (Self::Admin, 3)];
    const WANTED: &'static str = "a level";
}

impl Coded for Role {
    const CODES: &'static [(Self, i64)] = &[(Self::Member, 1), (Self::Owner, 2)];
    const WANTED: &'static str = "a role";
}

/// The number of a word.
pub(super) fn code<T: Coded>(word: T) -> Value {
    // Every word is in its list, which the tests below see to.
    let found = T::CODES.iter().find(|(known, _)| *known == word);
    found.map_or(Value::Null, |(_, number)| Value::Integer(*number))
}

impl Row {
    /// A word of the permission model.
    pub(super) fn word<T: Coded>(&self, column: usize) -> Result<T, Error> {
        let number = self.integer(column)?;
        let found = T::CODES.iter().find(|(_, known)| *known == number);
        found.map(|(word, _)| *word).ok_or(Error::Column { column, wanted: T::WANTED })
    }

    /// Yes or no.
    pub(super) fn flag(&self, column: usize) -> Result<bool, Error> {
        Ok(self.integer(column)? != 0)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failing test may panic")]
mod tests {
    use super::*;

    fn reads_back<T: Coded + std::fmt::Debug>(words: &[T]) {
        assert_eq!(words.len(), T::CODES.len());
        for word in words {
            assert_eq!(Row(vec![code(*word)]).word::<T>(0).unwrap(), *word);
        }
        assert!(Row(vec![Value::Integer(0)]).word::<T>(0).is_err());
    }

    #[test]
    fn every_word_has_a_number_and_no_other_number_a_word() {
        reads_back(&[Visibility::Private, Visibility::Org, Visibility::Public]);
        reads_back(&[Level::Read, Level::Write, Level::Admin]);
        reads_back(&[Role::Member, Role::Owner]);
    }
}

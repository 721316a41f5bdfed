//! Why a PC did not become a terminal, in the words that server and agent share.
//!
//! No more is said than the one who asks may know. Whoever shows a key that the contract once made has 160 random bits
//! in hand and may be told what became of it; whoever shows any other learns only that it opens nothing. That a
//! terminal is blocked is told to who has proved to hold its key.

use crate::Language;

/// Why an enrolment was refused with res=6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EnrollmentRefusal {
    /// The contract never made this enrolment key.
    KeyUnknown,
    /// Its time is over.
    KeyExpired,
    /// As many PCs as it was made for have used it.
    KeyUsedUp,
    /// An administrator has revoked it.
    KeyRevoked,
    /// This PC is a terminal already, and is blocked or retired.
    TerminalBlocked,
}

impl EnrollmentRefusal {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::KeyUnknown, Self::KeyExpired, Self::KeyUsedUp, Self::KeyRevoked, Self::TerminalBlocked];

    /// The word for it between programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::KeyUnknown => "key_unknown",
            Self::KeyExpired => "key_expired",
            Self::KeyUsedUp => "key_used_up",
            Self::KeyRevoked => "key_revoked",
            Self::TerminalBlocked => "terminal_blocked",
        }
    }

    /// The reason of this word; `None` when this program does not know the word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }

    /// What is wrong and what an administrator does about it.
    #[must_use]
    pub fn text(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::KeyUnknown, Language::Japanese) => {
                "登録キーが違います。設定の enrollment_key を、画面「端末」の「登録キー」で発行したキーと比べてください。"
            }
            (Self::KeyUnknown, Language::English) => {
                "The enrolment key is wrong. Compare enrollment_key in the configuration with the key made on the page Terminals, Enrolment keys."
            }
            (Self::KeyExpired, Language::Japanese) => {
                "登録キーの有効期限が切れています。画面「端末」の「登録キー」で新しいキーを発行し、設定の enrollment_key に入れてください。"
            }
            (Self::KeyExpired, Language::English) => {
                "The enrolment key has expired. Make a new one on the page Terminals, Enrolment keys, and put it into enrollment_key of the configuration."
            }
            (Self::KeyUsedUp, Language::Japanese) => {
                "登録キーは、決められた台数まで使用済みです。画面「端末」の「登録キー」で新しいキーを発行し、設定の enrollment_key に入れてください。"
            }
            (Self::KeyUsedUp, Language::English) => {
                "The enrolment key has been used for as many PCs as it was made for. Make a new one on the page Terminals, Enrolment keys, and put it into enrollment_key of the configuration."
            }
            (Self::KeyRevoked, Language::Japanese) => {
                "登録キーは管理者が失効させています。画面「端末」の「登録キー」で有効なキーを確認し、設定の enrollment_key に入れてください。"
            }
            (Self::KeyRevoked, Language::English) => {
                "An administrator has revoked the enrolment key. Look for a valid one on the page Terminals, Enrolment keys, and put it into enrollment_key of the configuration."
            }
            (Self::TerminalBlocked, Language::Japanese) => {
                "この端末は停止または廃止されています。画面「端末」でこのPCを開き、使用を再開してください。"
            }
            (Self::TerminalBlocked, Language::English) => {
                "This terminal is blocked or retired. Open this PC on the page Terminals and let it be used again."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back_and_unknown_ones_do_not() {
        for reason in EnrollmentRefusal::ALL {
            assert_eq!(EnrollmentRefusal::from_word(reason.word()), Some(reason));
        }
        assert_eq!(EnrollmentRefusal::from_word("key_eaten"), None);
    }
}

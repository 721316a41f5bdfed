//! What every page has around its content: language, top bar, foot, and a message from the page before.

use axum::http::{HeaderMap, Uri, header};
use jiff::civil::Date;
use mngntime_model::{Language, UtcMillis};
use mngntime_store::{ContractSettings, Role};
use serde::{Deserialize, Serialize};

use super::assets;
use super::era;
use super::pages::Turns;
use super::staying::Staying;
use super::texts::{Count, Words};
use super::times;
use super::{FootLinks, WebState};
use crate::access::{self, Action, Subject};

/// Cookie that keeps the language.
pub const LANGUAGE_COOKIE: &str = "mngntime_language";

/// Cookie that keeps how years are counted.
pub const YEARS_COOKIE: &str = "mngntime_years";
/// Its value for 和暦.
pub const JAPANESE_YEARS: &str = "japanese";
/// Its value for 西暦.
pub const COMMON_YEARS: &str = "common";

/// Longest address that is carried in links; a longer one is dropped.
pub const BACK_MAX: usize = 2_000;

/// Entries of the main menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// 打刻ログ
    Punches,
    /// 日別記録
    Days,
    /// 社員
    Employees,
    /// Windowsユーザー
    Accounts,
    /// 端末
    Terminals,
    /// 部署
    Departments,
    /// 利用者と権限
    Administrators,
    /// 監査ログ
    Audit,
    /// 設定
    Settings,
    /// システム状態
    Health,
    /// 契約
    Contracts,
    /// 自分の記録
    Me,
    /// None of them.
    Elsewhere,
}

/// The signed-in person, as the top bar shows them.
#[derive(Debug, Clone)]
pub struct Who {
    /// Name.
    pub name: String,
    /// Login.
    pub login: String,
    /// What they may do.
    pub subject: Subject,
    /// Name and code of the contract; absent for operators.
    pub contract: Option<(String, String)>,
}

/// How a message looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    /// Something was done.
    Ok,
    /// Somebody should look.
    Warn,
    /// Something is wrong.
    Error,
}

/// A message above the content. Lives in the session from one page to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banner {
    /// How it looks.
    pub tone: Tone,
    /// First line.
    pub title: String,
    /// Second line, empty for none.
    pub text: String,
    /// Address and words of a link, where one helps.
    pub link: Option<(String, String)>,
}

impl Banner {
    /// A message without a link.
    #[must_use]
    pub fn new(tone: Tone, title: String, text: String) -> Self {
        Self { tone, title, text, link: None }
    }

    /// Class of the box.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self.tone {
            Tone::Ok => "banner--ok",
            Tone::Warn => "banner--warn",
            Tone::Error => "banner--error",
        }
    }

    /// How a screen reader announces it.
    #[must_use]
    pub fn aria_role(&self) -> &'static str {
        if self.tone == Tone::Error { "alert" } else { "status" }
    }

    /// Its drawing.
    #[must_use]
    pub fn icon(&self) -> &'static str {
        if self.tone == Tone::Ok { "i-ok" } else { "i-warn" }
    }
}

/// Surroundings of a page.
#[derive(Debug, Clone)]
pub struct Chrome {
    words: Words,
    /// 和暦 in headings.
    japanese_years: bool,
    /// Where in the menu the page is.
    pub place: Place,
    /// Who is signed in.
    pub who: Option<Who>,
    /// Address of this page, for the language links.
    here: String,
    /// Server's clock.
    pub now: UtcMillis,
    /// Addresses in the foot.
    pub foot: FootLinks,
    /// The server's display name.
    pub server: String,
    /// Message above the content.
    pub banner: Option<Banner>,
    /// How long the session goes on; absent where nobody is signed in.
    pub staying: Option<Staying>,
}

impl Chrome {
    /// Surroundings of a page for nobody in particular.
    #[must_use]
    pub fn anonymous(state: &WebState, uri: &Uri, headers: &HeaderMap) -> Self {
        let here = uri.path_and_query().map_or("/", |address| address.as_str());
        Self {
            words: Words(language_of(headers)),
            japanese_years: cookie(headers, YEARS_COOKIE) == Some(JAPANESE_YEARS),
            place: Place::Elsewhere,
            who: None,
            here: if here.len() <= BACK_MAX { here.to_owned() } else { uri.path().to_owned() },
            now: (state.clock)(),
            foot: state.foot.clone(),
            server: state.display_name.clone(),
            banner: None,
            staying: None,
        }
    }

    /// Surroundings in one language and nothing else.
    #[cfg(test)]
    pub fn bare(language: Language) -> Self {
        Self {
            words: Words(language),
            japanese_years: false,
            place: Place::Elsewhere,
            who: None,
            here: "/".to_owned(),
            now: UtcMillis(1_781_655_871_000),
            foot: FootLinks::default(),
            server: "MINAGINE".to_owned(),
            banner: None,
            staying: None,
        }
    }

    /// Follows what the contract has chosen, where the person has chosen nothing.
    pub fn follow(&mut self, settings: &ContractSettings, headers: &HeaderMap) {
        if let Some(language) = settings.language.filter(|_| from_cookie(headers).is_none()) {
            self.words = Words(language);
        }
        if cookie(headers, YEARS_COOKIE).is_none() {
            self.japanese_years = settings.japanese_years;
        }
    }

    /// `2026年6月17日（水）`, in the years that the person or the contract has chosen.
    #[must_use]
    pub fn long_date(&self, date: Date) -> String {
        let long = if self.japanese_years { era::long_date } else { times::long_date };
        long(date, self.language())
    }

    /// `2026年6月`, in the same years.
    #[must_use]
    pub fn long_month(&self, month: Date) -> String {
        let long = if self.japanese_years { era::long_month } else { times::long_month };
        long(month, self.language())
    }

    /// Address that shows this page with the other way to count years, and the words of that.
    #[must_use]
    pub fn other_years(&self) -> (String, String) {
        let (years, key) = if self.japanese_years {
            (COMMON_YEARS, "years-common")
        } else {
            (JAPANESE_YEARS, "years-japanese")
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        let address = format!(
            "/language?{}",
            query.append_pair("years", years).append_pair("back", &self.here).finish()
        );
        (address, self.t(key))
    }

    /// Address of this page.
    #[must_use]
    pub fn here(&self) -> &str {
        &self.here
    }

    /// The same, with another address for the language links: an answer to a form has to be asked for anew.
    #[must_use]
    pub fn reached_by(mut self, address: &str) -> Self {
        if address.len() <= BACK_MAX {
            address.clone_into(&mut self.here);
        }
        self
    }

    /// The same at another place of the menu.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The language of the page.
    #[must_use]
    pub fn language(&self) -> Language {
        self.words.0
    }

    /// Its texts.
    #[must_use]
    pub fn words(&self) -> Words {
        self.words
    }

    /// See [`Words::t`].
    #[must_use]
    pub fn t(&self, key: &str) -> String {
        self.words.t(key)
    }

    /// See [`Words::n`].
    #[must_use]
    pub fn n(&self, key: &str, n: impl Count) -> String {
        self.words.n(key, n)
    }

    /// See [`Words::v`].
    #[must_use]
    pub fn v(&self, key: &str, name: &'static str, value: impl AsRef<str>) -> String {
        self.words.v(key, name, value)
    }

    /// How far a terminal's clock is ahead, with its unit: `+0.8 秒`; of a day and more in whole days.
    #[must_use]
    pub fn ahead(&self, clock_offset_ms: i64) -> String {
        match times::days_ahead(clock_offset_ms) {
            Some(days) => self.v("days-off", "n", days),
            None => self.v("seconds", "n", times::seconds_ahead(clock_offset_ms)),
        }
    }

    /// Tag of the page's language.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        self.language().tag()
    }

    /// Whether the page is in Japanese.
    #[must_use]
    pub fn japanese(&self) -> bool {
        self.language() == Language::Japanese
    }

    /// Address of a style, script or drawing.
    #[must_use]
    pub fn asset(&self, name: &str) -> String {
        assets::address(name)
    }

    /// Address of the drawings, for `<use>`.
    #[must_use]
    pub fn icons(&self) -> String {
        assets::address("icons.svg")
    }

    /// Address that shows this page in another language.
    #[must_use]
    pub fn in_language(&self, tag: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        format!("/language?{}", query.append_pair("to", tag).append_pair("back", &self.here).finish())
    }

    /// Address that shows this page after signing in.
    #[must_use]
    pub fn after_sign_in(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        format!("/login?{}", query.append_pair("next", &self.here).finish())
    }

    /// Minutes without use after which the person is signed out; absent where nobody is, or never for that.
    #[must_use]
    pub fn idle_minutes(&self) -> Option<u64> {
        self.staying.and_then(|staying| staying.minutes).map(u64::from)
    }

    /// Who had a page made for paper, and when.
    #[must_use]
    pub fn printed(&self) -> String {
        let who = self.who.as_ref();
        let name = who.map(|who| format!("{} ({})", who.name, who.login)).unwrap_or_default();
        self.words.with("paper-printed", &[("who", &name), ("at", &self.now_text())])
    }

    /// What of a list stands on paper: `shown` rows of the page that lies between `turns`, `total` of them where that
    /// is known (else empty), and who printed it when.
    #[must_use]
    pub fn on_paper(&self, shown: impl Count, turns: &Turns, total: &str) -> String {
        let key = match (&turns.first, &turns.next) {
            (None, None) => "paper-rows-all",
            (None, Some(_)) => "paper-rows-first",
            (Some(_), Some(_)) => "paper-rows-middle",
            (Some(_), None) => "paper-rows-last",
        };
        let parts = [self.n(key, shown), total.to_owned(), self.printed()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(&self.t("paper-comma"))
    }

    /// Program version for the foot.
    #[must_use]
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Server time for reading.
    #[must_use]
    pub fn now_text(&self) -> String {
        times::full(self.now)
    }

    /// Server time for machines.
    #[must_use]
    pub fn now_machine(&self) -> String {
        times::machine(self.now)
    }

    /// Today in Tokyo.
    #[must_use]
    pub fn today(&self) -> Date {
        times::tokyo(self.now).date()
    }

    /// Whether the signed-in person may do `action`: menu entries, links and buttons of others are not shown.
    #[must_use]
    pub fn may(&self, action: Action) -> bool {
        let who = self.who.as_ref();
        who.is_some_and(|who| access::reach(&who.subject, action, self.today()).is_ok())
    }

    /// Whether `place` stands in the main menu as a part of one's job. Whoever else may see it finds it under their name.
    #[must_use]
    pub fn in_menu(&self, place: Place) -> bool {
        let Some(who) = &self.who else { return false };
        match who.subject.role {
            Role::Auditor => place == Place::Audit,
            Role::InformationTechnology => place == Place::Health,
            Role::Operator => [Place::Contracts, Place::Health, Place::Audit].contains(&place),
            Role::Administrator | Role::HumanResources | Role::Approver | Role::Employee => false,
        }
    }

    /// `aria-current` of a menu entry.
    #[must_use]
    pub fn is_at(&self, place: Place) -> bool {
        self.place == place
    }
}

/// Key of a role's name.
#[must_use]
pub fn role_key(role: Role) -> &'static str {
    match role {
        Role::Administrator => "role-administrator",
        Role::HumanResources => "role-hr",
        Role::InformationTechnology => "role-it",
        Role::Approver => "role-approver",
        Role::Auditor => "role-auditor",
        Role::Employee => "role-employee",
        Role::Operator => "role-operator",
    }
}

impl Who {
    /// Key of the role's name.
    #[must_use]
    pub fn role_key(&self) -> &'static str {
        role_key(self.subject.role)
    }
}

/// The language a request asks for: the cookie's, else the browser's first that we have, else Japanese.
#[must_use]
pub fn language_of(headers: &HeaderMap) -> Language {
    from_cookie(headers).or_else(|| from_browser(headers)).unwrap_or_default()
}

fn from_cookie(headers: &HeaderMap) -> Option<Language> {
    cookie(headers, LANGUAGE_COOKIE).and_then(Language::from_tag)
}

/// The value of a cookie.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// The best of `Accept-Language`; equal weights count in their order.
fn from_browser(headers: &HeaderMap) -> Option<Language> {
    let wanted = headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut best: Option<(f32, Language)> = None;
    for part in wanted.split(',').take(32) {
        let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
        let weight = weight.trim().parse::<f32>().unwrap_or(0.0);
        let Some(language) = Language::from_tag(tag.trim()).filter(|_| weight > 0.0) else {
            continue;
        };
        if best.is_none_or(|(best, _)| weight > best) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), header::HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn the_cookie_wins_over_the_browser_and_japanese_is_the_default() {
        let cookie = (header::COOKIE, "a=b; mngntime_language=en");
        let browser = (header::ACCEPT_LANGUAGE, "ja-JP,ja;q=0.9,en;q=0.8");
        assert_eq!(language_of(&headers(&[cookie, browser.clone()])), Language::English);
        assert_eq!(language_of(&headers(&[browser])), Language::Japanese);
        assert_eq!(
            language_of(&headers(&[(header::ACCEPT_LANGUAGE, "fr, en-US;q=0.7, ja;q=0.3")])),
            Language::English
        );
        assert_eq!(language_of(&headers(&[(header::ACCEPT_LANGUAGE, "fr")])), Language::Japanese);
        assert_eq!(language_of(&headers(&[])), Language::Japanese);
    }
}

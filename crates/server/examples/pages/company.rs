//! The company that the store is filled with: the same for the same sizes and the same end, whoever makes it.
//!
//! Every employee has a PC and an account, but for one in fifty. On a working day a person signs in and out twice;
//! one PC in fifty also tells of locks and sleeps, as much as a real one. Accounts that nobody knows are used at other
//! people's PCs now and then, and make most of the errors.

use jiff::civil::{Date, Weekday};
use jiff::{ToSpan as _, tz::TimeZone};
use mngntime_ledger::Digest;
use mngntime_model::{
    AccountIdentity, BootId, Event, EventKind, Evidence, Moment, SessionIdentity, TerminalId, UtcMillis,
};
use mngntime_store::{
    ContractId, Enrolment, IncomingBatch, IncomingEvent, KeyHash, NewEmployee, SignedBatch,
};
use mngntime_wire::EncodedEvent;

/// How large the company is, and how long its history.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// As many PCs there are, too.
    pub employees: u64,
    /// Punches there are at least.
    pub punches: u64,
    /// The end of the history.
    pub now: UtcMillis,
}

pub const CONTRACT: &str = "A-1";
pub const ENROLMENT_KEY: &str = "bench-enrolment-key";
const MINUTE: i64 = 60_000;

/// Working days at the end for which PCs also tell of their own starts and ends.
const DAYS_WITH_STARTS: usize = 22;

/// Working days at the end for which some PCs tell of locks and sleeps.
const DAYS_WITH_LOCKS: usize = 70;

/// One PC in so many tells of locks and sleeps.
const DENSE_EVERY: u64 = 50;

/// Locks of one stay of such a PC.
const LOCKS: i64 = 10;

const FAMILY: [(&str, &str, &str); 40] = [
    ("佐藤", "サトウ", "sato"),
    ("鈴木", "スズキ", "suzuki"),
    ("高橋", "タカハシ", "takahashi"),
    ("田中", "タナカ", "tanaka"),
    ("伊藤", "イトウ", "ito"),
    ("渡辺", "ワタナベ", "watanabe"),
    ("山本", "ヤマモト", "yamamoto"),
    ("中村", "ナカムラ", "nakamura"),
    ("小林", "コバヤシ", "kobayashi"),
    ("加藤", "カトウ", "kato"),
    ("吉田", "ヨシダ", "yoshida"),
    ("山田", "ヤマダ", "yamada"),
    ("佐々木", "ササキ", "sasaki"),
    ("山口", "ヤマグチ", "yamaguchi"),
    ("松本", "マツモト", "matsumoto"),
    ("井上", "イノウエ", "inoue"),
    ("木村", "キムラ", "kimura"),
    ("林", "ハヤシ", "hayashi"),
    ("斎藤", "サイトウ", "saito"),
    ("清水", "シミズ", "shimizu"),
    ("山崎", "ヤマザキ", "yamazaki"),
    ("森", "モリ", "mori"),
    ("池田", "イケダ", "ikeda"),
    ("橋本", "ハシモト", "hashimoto"),
    ("阿部", "アベ", "abe"),
    ("石川", "イシカワ", "ishikawa"),
    ("山下", "ヤマシタ", "yamashita"),
    ("中島", "ナカジマ", "nakajima"),
    ("石井", "イシイ", "ishii"),
    ("小川", "オガワ", "ogawa"),
    ("前田", "マエダ", "maeda"),
    ("岡田", "オカダ", "okada"),
    ("長谷川", "ハセガワ", "hasegawa"),
    ("藤田", "フジタ", "fujita"),
    ("後藤", "ゴトウ", "goto"),
    ("近藤", "コンドウ", "kondo"),
    ("村上", "ムラカミ", "murakami"),
    ("遠藤", "エンドウ", "endo"),
    ("青木", "アオキ", "aoki"),
    ("坂本", "サカモト", "sakamoto"),
];

const GIVEN: [(&str, &str, &str); 25] = [
    ("花子", "ハナコ", "hanako"),
    ("太郎", "タロウ", "taro"),
    ("一郎", "イチロウ", "ichiro"),
    ("健", "ケン", "ken"),
    ("美咲", "ミサキ", "misaki"),
    ("翔", "ショウ", "sho"),
    ("陽子", "ヨウコ", "yoko"),
    ("大輔", "ダイスケ", "daisuke"),
    ("直樹", "ナオキ", "naoki"),
    ("由美", "ユミ", "yumi"),
    ("恵", "メグミ", "megumi"),
    ("誠", "マコト", "makoto"),
    ("真由美", "マユミ", "mayumi"),
    ("和也", "カズヤ", "kazuya"),
    ("智子", "トモコ", "tomoko"),
    ("拓也", "タクヤ", "takuya"),
    ("愛", "アイ", "ai"),
    ("隆", "タカシ", "takashi"),
    ("裕子", "ユウコ", "yuko"),
    ("浩", "ヒロシ", "hiroshi"),
    ("さくら", "サクラ", "sakura"),
    ("学", "マナブ", "manabu"),
    ("千尋", "チヒロ", "chihiro"),
    ("亮", "リョウ", "ryo"),
    ("久美子", "クミコ", "kumiko"),
];

/// A draw that depends on its three numbers alone (SplitMix64).
pub fn draw(stream: u64, one: u64, other: u64) -> u64 {
    let mut z = stream.wrapping_mul(0xD134_2543_DE82_EF95)
        ^ one.wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ other.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// As [`draw`], below `limit`.
fn below(limit: i64, stream: u64, one: u64, other: u64) -> i64 {
    i64::try_from(draw(stream, one, other) % limit.unsigned_abs().max(1)).unwrap_or(0)
}

impl Size {
    /// Whether the employee has an account.
    pub fn has_account(self, employee: u64) -> bool {
        employee % 50 != 49
    }

    /// Accounts that belong to nobody.
    pub fn strangers(self) -> u64 {
        (self.employees / 8).max(1)
    }

    /// Working days of the history, oldest first; the last one is today, whatever day of the week it is.
    pub fn days(self) -> Vec<Date> {
        let a_day = 4 * (self.employees - self.employees / 50) + self.strangers() / 4;
        let wanted = usize::try_from(self.punches.div_ceil(a_day.max(1))).unwrap_or(usize::MAX);
        let mut date = mngntime_store::local_date(self.now);
        let mut days = Vec::new();
        while days.len() < wanted {
            if days.is_empty() || !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
                days.push(date);
            }
            date = date.checked_sub(1.day()).unwrap_or(date);
        }
        days.reverse();
        days
    }
}

/// Midnight in Tokyo.
pub fn midnight(date: Date) -> UtcMillis {
    let tokyo = TimeZone::fixed(jiff::tz::offset(9));
    UtcMillis(tokyo.to_timestamp(date.at(0, 0, 0, 0)).map_or(0, |at| at.as_millisecond()))
}

pub fn employee_code(employee: u64) -> String {
    format!("E{employee:05}")
}

pub fn department_code(department: u64) -> String {
    format!("D{department:03}")
}

/// Departments: ten at the top, nineteen below each.
pub const DEPARTMENTS: u64 = 200;

pub fn department_name(department: u64) -> String {
    let division = ["営業", "開発", "製造", "品質", "総務", "経理", "人事", "物流", "購買", "研究"];
    let division = division[usize::try_from(department / 20).unwrap_or(0) % division.len()];
    if department.is_multiple_of(20) {
        format!("{division}本部")
    } else {
        format!("{division}第{}課", department % 20)
    }
}

pub fn employee(size: Size, employee: u64) -> NewEmployee {
    let (family, given) = names(employee);
    let gone = employee % 33 == 17;
    NewEmployee {
        kana: Some(format!("{} {}", family.1, given.1)),
        department: Some(department_name(draw(1, employee, 0) % DEPARTMENTS)),
        active_to: gone
            .then(|| mngntime_store::local_date(size.now).checked_sub(12.days()).unwrap_or(Date::MIN)),
        ..NewEmployee::named(employee_code(employee), format!("{} {}", family.0, given.0))
    }
}

fn names(
    person: u64,
) -> ((&'static str, &'static str, &'static str), (&'static str, &'static str, &'static str)) {
    let pick = |stream, length: usize| usize::try_from(draw(stream, person, 0)).unwrap_or(0) % length;
    (FAMILY[pick(2, FAMILY.len())], GIVEN[pick(3, GIVEN.len())])
}

pub fn account(employee: u64) -> AccountIdentity {
    let (family, given) = names(employee);
    let name = format!("{}.{}{employee}", given.2, family.2);
    AccountIdentity {
        key: format!("S-1-5-21-1004336348-11-68-{}", 1000 + employee),
        domain: "CORP".into(),
        upn: employee.is_multiple_of(3).then(|| format!("{name}@example.co.jp")),
        name,
    }
}

/// Somebody whom nobody has linked: named by an employee's code, by a reading, as a linked account, or like no one.
pub fn stranger(size: Size, stranger: u64) -> AccountIdentity {
    let like = draw(4, stranger, 0) % size.employees;
    let (family, given) = names(stranger + 1_000_000);
    let name = match stranger % 4 {
        0 => employee_code(like),
        1 => format!("{}.{}", given.2, family.2),
        2 => account(like).name,
        _ => format!("setup{stranger}"),
    };
    AccountIdentity {
        key: format!("S-1-5-21-{}-77-88-1001", 5_000_000 + stranger),
        domain: format!("PC-{:05}", draw(5, stranger, 0) % size.employees),
        name,
        upn: None,
    }
}

/// What a PC remembers between its days.
#[derive(Debug, Clone)]
pub struct Pc {
    pub number: u64,
    pub id: TerminalId,
    sequence: u64,
    previous: Digest,
}

impl Pc {
    pub fn new(number: u64) -> Self {
        let mut random = [0; 16];
        random[..8].copy_from_slice(&draw(6, number, 0).to_be_bytes());
        random[8..].copy_from_slice(&draw(6, number, 1).to_be_bytes());
        Self { number, id: TerminalId::from_random(random), sequence: 0, previous: Digest::GENESIS }
    }

    pub fn enrolment(&self, at: UtcMillis) -> Enrolment {
        Enrolment {
            contract: CONTRACT.into(),
            key: KeyHash::of(ENROLMENT_KEY),
            public_key: format!("bench-{}", self.number),
            host_name: format!("PC-{:05}", self.number),
            os: if self.number.is_multiple_of(10) {
                "Debian GNU/Linux 13".into()
            } else {
                "Windows 11 Pro 26100".into()
            },
            makeup: format!("makeup-{}", self.number),
            key_class: if self.number.is_multiple_of(4) { "file".into() } else { "tpm".into() },
            agent_version: "0.0.9".into(),
            proposed: self.id,
            at,
        }
    }

    fn next(&mut self, boot: &str, told: Told) -> anyhow::Result<IncomingEvent> {
        self.sequence += 1;
        let since_boot = u64::try_from(told.at.0.rem_euclid(86_400_000)).unwrap_or(0);
        let boot = BootId::new(boot)?;
        let event = Event {
            sequence: self.sequence,
            boot: boot.clone(),
            kind: told.kind,
            evidence: Evidence::Notice,
            occurred_at: told.at,
            bounds: None,
            recorded_at: Moment {
                wall: told.at.plus(40),
                offset_seconds: 32_400,
                biased_ms: since_boot,
                unbiased_ms: since_boot,
            },
            session: told.account.as_ref().map(|_| SessionIdentity {
                boot,
                session_id: told.stay.to_string(),
                logon_identity: format!("0x{:x}", 100_000 + told.stay),
            }),
            remote: told.account.as_ref().map(|_| false),
            account: told.account,
            client: None,
            cause: None,
            supersedes: None,
        };
        let encoded = EncodedEvent::encode(event, self.previous)?;
        self.previous = encoded.digest;
        Ok(IncomingEvent {
            resent: false,
            digest: encoded.digest,
            json: encoded.json,
            event: encoded.event,
            stamped_at: None,
        })
    }
}

/// What happened at a PC, before it has a number.
struct Told {
    at: UtcMillis,
    kind: EventKind,
    account: Option<AccountIdentity>,
    stay: u64,
}

/// One day of the company.
pub struct Day {
    pub size: Size,
    pub contract: ContractId,
    /// Place of the day in the history.
    pub index: usize,
    /// How many days the history has.
    pub days: usize,
    pub date: Date,
}

impl Day {
    /// The batch that the PC sends in the evening; `None` when nothing happened there.
    pub fn batch(&self, pc: &mut Pc) -> anyhow::Result<Option<IncomingBatch>> {
        let mut told = self.told(pc.number);
        told.retain(|told| told.at < self.size.now);
        told.sort_by_key(|told| told.at);
        if told.is_empty() {
            return Ok(None);
        }
        // A number that was lost for good, once.
        if pc.number % 500 == 7 && self.index + 10 == self.days {
            pc.sequence += 3;
        }
        let boot = format!("{:x}-{:x}", pc.number, self.index);
        let events = told.into_iter().map(|told| pc.next(&boot, told)).collect::<anyhow::Result<Vec<_>>>()?;
        let evening = self.at(18 * 60 + 40).plus(below(20 * MINUTE, 7, pc.number, self.index as u64));
        let received_at = evening.min(self.size.now.plus(-below(10 * MINUTE, 8, pc.number, 0)));
        let received_at = events.iter().map(|event| event.event.occurred_at).fold(received_at, Ord::max);
        Ok(Some(self.envelope(pc, boot, received_at, events)))
    }

    fn envelope(
        &self,
        pc: &Pc,
        boot: String,
        received_at: UtcMillis,
        events: Vec<IncomingEvent>,
    ) -> IncomingBatch {
        let last_days = self.index + 5 >= self.days;
        let changed = pc.number % 997 == 3 && last_days;
        let fresh = self.index + 30 >= self.days && pc.number % 10 != 9;
        IncomingBatch {
            contract: self.contract,
            terminal: pc.id,
            received_at,
            clock_offset_ms: if pc.number % 211 == 5 { 400_000 } else { below(900, 9, pc.number, 0) - 450 },
            waiting: if pc.number % 301 == 6 { 2_000 } else { events.len() as u64 },
            makeup: if changed { "changed".into() } else { format!("makeup-{}", pc.number) },
            agent_version: if fresh { "0.1.0".into() } else { "0.0.9".into() },
            boot,
            boot_counter_ms: 36_000_000,
            day_begins_minutes: 300,
            signed: SignedBatch { digest: pc.previous, signature: "bench".into(), payload: String::new() },
            events,
        }
    }

    fn at(&self, minutes: i64) -> UtcMillis {
        midnight(self.date).plus(minutes * MINUTE)
    }

    fn told(&self, pc: u64) -> Vec<Told> {
        let (day, size) = (self.index as u64, self.size);
        let mut told = Vec::new();
        for employee in [pc, (pc + size.employees - 1) % size.employees] {
            let elsewhere = employee % 50 == 0 && day % 5 == 4;
            let here = (employee == pc) != elsewhere;
            if here && size.has_account(employee) {
                self.person(employee, &mut told);
            }
        }
        let guest = (pc * 7 + day) % size.employees;
        if guest < size.strangers() && day % 8 == guest % 8 {
            let start = self.at(12 * 60 + 5).plus(below(40 * MINUTE, 10, guest, day));
            let account = Some(stranger(size, guest));
            told.push(Told { at: start, kind: EventKind::Logon, account: account.clone(), stay: 9 });
            told.push(Told { at: start.plus(5 * MINUTE), kind: EventKind::Logoff, account, stay: 9 });
        }
        if self.index + DAYS_WITH_STARTS >= self.days && !told.is_empty() {
            self.starts(pc, &mut told);
        }
        told
    }

    /// Two stays, with locks where the PC tells of them.
    fn person(&self, employee: u64, told: &mut Vec<Told>) {
        let day = self.index as u64;
        let spread = |stream, minutes: i64| below(minutes * MINUTE, stream, employee, day);
        let account = account(employee);
        let stays = [
            (self.at(7 * 60 + 50).plus(spread(11, 50)), self.at(12 * 60).plus(spread(12, 10))),
            (self.at(12 * 60 + 50).plus(spread(13, 10)), self.at(17 * 60).plus(spread(14, 180))),
        ];
        for (stay, (from, to)) in (2..).zip(stays) {
            let mut tell = |at, kind| told.push(Told { at, kind, account: Some(account.clone()), stay });
            tell(from, EventKind::Logon);
            if employee % DENSE_EVERY == 1 && self.index + DAYS_WITH_LOCKS >= self.days {
                let step = (to.0 - from.0) / (LOCKS + 1);
                for number in 1..=LOCKS {
                    tell(from.plus(step * number), EventKind::Lock);
                    tell(from.plus(step * number + step / 3), EventKind::Unlock);
                }
            }
            tell(to, EventKind::Logoff);
        }
    }

    fn starts(&self, pc: u64, told: &mut Vec<Told>) {
        let at = |minutes, stream| self.at(minutes).plus(below(5 * MINUTE, stream, pc, self.index as u64));
        let mut tell = |at, kind| told.push(Told { at, kind, account: None, stay: 0 });
        let boot = at(7 * 60 + 40, 15);
        tell(boot, EventKind::Boot);
        tell(boot.plus(4_000), EventKind::ServiceStart);
        tell(at(20 * 60 + 10, 16), EventKind::Shutdown);
    }
}

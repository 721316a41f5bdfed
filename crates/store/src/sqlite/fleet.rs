//! All terminals of a contract at once.
//!
//! Marks depend on the time and on the newest version, so they cannot be kept in an index. Counts and the list's
//! order are therefore one pass over the contract's range of `terminals` (10,000 rows, no other table but the few
//! open holes of `missing_numbers`, read once); only the rows of the page itself are then looked up with everything
//! there is to know of them. By name, the list is a walk along its index.
//!
//! The expressions below say in SQL what [`Marks`](crate::ports::Marks) says in Rust. Their parameters: ?1 contract,
//! ?2 last contact after which a terminal is healthy, ?3 the same for not silent, ?4 and ?5 up to which a
//! silent one is so for a week and for thirty days, ?6 old versions as a JSON list.

use crate::sql::Value;
use crate::sql::{Connection, params_from_iter};
use async_trait::async_trait;
use jiff::civil::Date;
use mngntime_model::TerminalId;

use super::{SqliteStore, Work, contact_days, rows, terminal_names, terminals};
use crate::ContractId;
use crate::ports::{
    Act, Answer, Beside, CLOCK_OFF_MS, ContactDay, Fleet, FleetCounts, FleetFilter, FleetKey, FleetOrder,
    FleetPage, FleetShow, Measures, MissingRange, StatusChanged, StatusesSet, TerminalHistory,
    TerminalStatus, WAITING_MANY, WAITING_RISES,
};

#[async_trait]
impl Fleet for SqliteStore {
    async fn fleet_versions(&self, contract: ContractId) -> Answer<Vec<String>> {
        let sql =
            "SELECT DISTINCT agent_version FROM terminals WHERE contract_id = ?1 AND status <> 'retired'";
        self.read("list the agents' versions", move |connection| {
            rows::all(connection, sql, [contract.0], |row| Ok(row.get(0)?))
        })
        .await
    }

    async fn fleet_counts(&self, contract: ContractId, measures: Measures) -> Answer<FleetCounts> {
        self.read("count the terminals by kind", move |connection| counts(connection, contract, &measures))
            .await
    }

    async fn fleet_matches(
        &self,
        contract: ContractId,
        measures: Measures,
        filter: FleetFilter,
    ) -> Answer<u64> {
        self.read("count the terminals of a filter", move |connection| {
            let question = Question::of(contract, &measures, &filter)?;
            let sql = format!("SELECT count(*) FROM terminals WHERE {}", question.conditions);
            let count =
                rows::one(connection, &sql, params_from_iter(question.values), |row| rows::number(row, 0))?;
            Ok(count.unwrap_or(0))
        })
        .await
    }

    async fn fleet_page(
        &self,
        contract: ContractId,
        measures: Measures,
        filter: FleetFilter,
        at: Option<Beside<FleetKey>>,
        limit: usize,
    ) -> Answer<FleetPage> {
        self.read("list the terminals of a filter", move |connection| {
            page(connection, contract, &measures, &filter, at, limit)
        })
        .await
    }

    async fn same_named(&self, contract: ContractId, names: Vec<String>) -> Answer<Vec<u64>> {
        self.read("count terminals of the same name", move |connection| {
            terminal_names::counts(connection, contract, &names)
        })
        .await
    }

    async fn contact_days(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        since: Date,
    ) -> Answer<Vec<ContactDay>> {
        self.read("list a terminal's days of contact", move |connection| {
            contact_days::days(connection, contract, &terminal, since)
        })
        .await
    }

    async fn terminal_history(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        limit: usize,
    ) -> Answer<Vec<TerminalHistory>> {
        self.read("list a terminal's history", move |connection| {
            contact_days::history(connection, contract, &terminal, limit)
        })
        .await
    }

    async fn missing_ranges(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        limit: usize,
    ) -> Answer<Vec<MissingRange>> {
        self.read("list a terminal's missing numbers", move |connection| {
            contact_days::missing_ranges(connection, contract, &terminal, limit)
        })
        .await
    }

    async fn set_terminal_statuses(
        &self,
        contract: ContractId,
        terminals: Vec<TerminalId>,
        status: TerminalStatus,
        act: Act,
    ) -> Answer<StatusesSet> {
        self.write_alone("change the status of terminals", move |tx| {
            terminals::set_statuses(tx, contract, &terminals, (status, ""), &act)
        })
        .await
    }

    async fn block_terminals(
        &self,
        contract: ContractId,
        terminals: Vec<TerminalId>,
        reason: String,
        act: Act,
    ) -> Answer<StatusesSet> {
        self.write_alone("block terminals", move |tx| {
            terminals::set_statuses(tx, contract, &terminals, (TerminalStatus::Blocked, &reason), &act)
        })
        .await
    }

    async fn status_changes(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        limit: usize,
    ) -> Answer<Vec<StatusChanged>> {
        self.read("list what was made of a terminal's status", move |connection| {
            terminals::status_changes(connection, contract, &terminal, limit)
        })
        .await
    }

    async fn set_terminal_note(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        note: String,
        act: Act,
    ) -> Answer<()> {
        self.write("write a terminal's note", move |tx| {
            terminals::set_note(tx, contract, &terminal, &note, &act)
        })
        .await
    }

    async fn allow_reenrollment(
        &self,
        contract: ContractId,
        terminal: TerminalId,
        until: mngntime_model::UtcMillis,
        act: Act,
    ) -> Answer<()> {
        self.write("allow a terminal to be enrolled again", move |tx| {
            terminals::allow_reenrollment(tx, contract, &terminal, until, &act)
        })
        .await
    }
}

const IN_USE: &str = "status <> 'retired'";
// Enrolling was a contact: one that was never heard of has the same time for its first word as others for their next.
const LAST: &str = "coalesce(last_contact_at, enrolled_at)";
const HEARD: &str = "(coalesce(last_contact_at, enrolled_at) > ?3)";
const DUPLICATE: &str = "(cloned_at IS NOT NULL OR rolled_back_at IS NOT NULL OR conflict <> 0)";
// Not correlated with the terminal, so the few open holes are read once.
const MISSING: &str = "id IN (SELECT m.terminal_id FROM missing_numbers AS m WHERE m.contract_id = ?1
    AND m.settled = 0 AND m.declared IS DISTINCT FROM 'earlier_enrollment')";
// Not correlated either: names that stand in the index of names twice are few, and only their terminals are looked at.
const SAME_NAME: &str = "lower(host_name) IN (SELECT lower(twin.host_name)
    FROM (SELECT lower(n.host_name) AS name FROM terminals n INDEXED BY terminals_by_host_name
    WHERE n.contract_id = ?1 GROUP BY lower(n.host_name) HAVING count(*) > 1) AS borne
    CROSS JOIN terminals twin INDEXED BY terminals_by_host_name
    ON twin.contract_id = ?1 AND twin.host_name = borne.name COLLATE NOCASE
    WHERE twin.status <> 'retired' GROUP BY lower(twin.host_name) HAVING count(*) > 1)";
const OLD_VERSION: &str = "agent_version IN (SELECT value FROM json_each(?6))";

/// The condition of each choice.
fn condition(show: FleetShow) -> String {
    let marked = |mark: &str| format!("({IN_USE} AND {mark})");
    let silent = |how: &str| format!("(status = 'active' AND NOT {HEARD} AND {how})");
    match show {
        FleetShow::InUse => format!("({IN_USE})"),
        FleetShow::Healthy => format!("(status = 'active' AND {LAST} > ?2)"),
        FleetShow::Late => {
            format!("(status = 'active' AND {HEARD} AND NOT {LAST} > ?2)")
        }
        FleetShow::Silent => silent("TRUE"),
        FleetShow::SilentWeek => silent(&format!("{LAST} <= ?4")),
        FleetShow::SilentMonth => silent(&format!("{LAST} <= ?5")),
        FleetShow::Blocked => "(status = 'blocked')".to_owned(),
        FleetShow::Duplicate => marked(DUPLICATE),
        FleetShow::Missing => marked(MISSING),
        FleetShow::OldVersion => marked(OLD_VERSION),
        FleetShow::ClockOff => {
            let off = format!("clock_offset_ms NOT BETWEEN -{CLOCK_OFF_MS} AND {CLOCK_OFF_MS}");
            marked(&format!("{HEARD} AND {off}"))
        }
        FleetShow::SpoolGrowing => {
            marked(&format!("(waiting >= {WAITING_MANY} OR waiting_rises >= {WAITING_RISES})"))
        }
        FleetShow::MakeupChanged => marked("makeup_changed <> 0"),
        FleetShow::SameName => marked(SAME_NAME),
        FleetShow::Retired => "(status = 'retired')".to_owned(),
    }
}

/// How soon somebody should look; see [`attention`](crate::ports::attention).
fn attention_sql() -> String {
    let ranks = [
        (FleetShow::Retired, 10),
        (FleetShow::Duplicate, 0),
        (FleetShow::MakeupChanged, 1),
        (FleetShow::Missing, 2),
        (FleetShow::SpoolGrowing, 3),
        (FleetShow::Silent, 4),
        (FleetShow::ClockOff, 5),
        (FleetShow::Late, 6),
        (FleetShow::Blocked, 8),
        (FleetShow::OldVersion, 7),
    ];
    let cases: String =
        ranks.iter().map(|(show, rank)| format!(" WHEN {} THEN {rank}", condition(*show))).collect();
    format!("CASE{cases} ELSE 9 END")
}

fn measured(contract: ContractId, measures: &Measures) -> Vec<Value> {
    vec![
        contract.0.into(),
        measures.healthy_after().0.into(),
        measures.heard_after().0.into(),
        measures.silent_week().0.into(),
        measures.silent_month().0.into(),
        rows::json_list(measures.old_versions.iter().map(String::as_str)).into(),
    ]
}

fn counts(connection: &Connection, contract: ContractId, measures: &Measures) -> Work<FleetCounts> {
    let sql = counts_sql();
    let found = rows::one(connection, &sql, params_from_iter(measured(contract, measures)), |row| {
        let count = |(place, show)| Ok((show, rows::number(row, place)?));
        FleetShow::ALL.into_iter().enumerate().map(count).collect::<Work<Vec<_>>>()
    })?;
    Ok(FleetCounts(found.unwrap_or_default()))
}

fn counts_sql() -> String {
    let sums: Vec<_> = FleetShow::ALL
        .iter()
        .map(|show| format!("count(CASE WHEN {} THEN 1 END)", condition(*show)))
        .collect();
    format!("SELECT {} FROM terminals WHERE contract_id = ?1", sums.join(", "))
}

/// A terminal's id as people see it.
const ID_TEXT: &str =
    "substr(hex(id), 1, 8) || '-' || substr(hex(id), 9, 4) || '-' || substr(hex(id), 13, 4) || '-'
    || substr(hex(id), 17, 4) || '-' || substr(hex(id), 21)";

/// Whether a text may stand in an id: writing ten thousand of them is half of a search's time.
fn could_be_id(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// A filter as SQL.
struct Question {
    conditions: String,
    values: Vec<Value>,
}

impl Question {
    fn of(contract: ContractId, measures: &Measures, filter: &FleetFilter) -> Work<Self> {
        let mut values = measured(contract, measures);
        // Names the last measure, so that every statement takes all of them, whichever its conditions need.
        let mut conditions = format!("contract_id = ?1 AND ?6 IS NOT NULL AND {}", condition(filter.show));
        if !filter.text.is_empty() {
            values.push(filter.text.clone().into());
            let place = values.len();
            let id = if could_be_id(&filter.text) { ID_TEXT } else { "''" };
            conditions.push_str(&format!(
                " AND instr(lower(host_name || '\n' || os || '\n' || agent_version || '\n' || {id}), ?{place}) > 0"
            ));
        }
        if let Some(only) = &filter.only {
            let ids = only.iter().map(rows::terminal_bytes).collect::<Work<Vec<_>>>()?;
            let hex: Vec<String> = ids.iter().map(|id| format!("x'{}'", hex(id))).collect();
            // An empty list is SQLite's alone.
            let any = if hex.is_empty() { "FALSE".to_owned() } else { format!("id IN ({})", hex.join(",")) };
            conditions.push_str(&format!(" AND {any}"));
        }
        Ok(Self { conditions, values })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The measure by which an order sorts before the name; absent where the name is all.
fn place(order: FleetOrder) -> Option<String> {
    match order {
        FleetOrder::Attention => Some(attention_sql()),
        FleetOrder::Name => None,
        FleetOrder::Contact => Some("coalesce(last_contact_at, -1)".to_owned()),
        FleetOrder::Waiting => Some("-waiting".to_owned()),
    }
}

/// The statement that finds `limit` rows of a page, and its values; the last column is the place.
fn page_sql(
    contract: ContractId,
    measures: &Measures,
    filter: &FleetFilter,
    at: Option<&Beside<FleetKey>>,
    limit: usize,
) -> Work<(String, Vec<Value>)> {
    let Question { mut conditions, mut values } = Question::of(contract, measures, filter)?;
    let (place, rows::Way { beyond, order: way }) = (place(filter.order), rows::growing(at));
    if let Some(key) = at.map(Beside::key) {
        values.push(rows::terminal_bytes(&key.terminal)?.to_vec().into());
        let id = values.len();
        let name = format!("(SELECT host_name FROM terminals WHERE contract_id = ?1 AND id = ?{id})");
        match &place {
            None => conditions.push_str(&format!(" AND (host_name, id) {beyond} ({name}, ?{id})")),
            Some(place) => {
                values.push(key.place.into());
                let last = values.len();
                conditions
                    .push_str(&format!(" AND ({place}, host_name, id) {beyond} (?{last}, {name}, ?{id})"));
            }
        }
    }
    values.push(rows::column(limit as u64).into());
    let most = values.len();
    let by_place = place.as_ref().map(|_| format!("1 {way}, ")).unwrap_or_default();
    let sql = format!(
        "WITH chosen (place, name, terminal) AS MATERIALIZED (SELECT {}, host_name, id FROM terminals
         WHERE {conditions} ORDER BY {by_place}host_name {way}, id {way} LIMIT ?{most})
         SELECT {}, place FROM chosen CROSS JOIN terminals ON contract_id = ?1 AND id = terminal
         ORDER BY place {way}, name {way}, terminal {way}",
        place.as_deref().unwrap_or("0"),
        terminals::COLUMNS
    );
    Ok((sql, values))
}

fn page(
    connection: &Connection,
    contract: ContractId,
    measures: &Measures,
    filter: &FleetFilter,
    at: Option<Beside<FleetKey>>,
    limit: usize,
) -> Work<FleetPage> {
    let read = |limit| {
        let (sql, values) = page_sql(contract, measures, filter, at.as_ref(), limit)?;
        rows::all(connection, &sql, params_from_iter(values), |row| {
            Ok((terminals::read(row)?, row.get::<_, i64>("place")?))
        })
    };
    let found = rows::page(at.as_ref(), limit, read, |(terminal, place)| FleetKey {
        place: *place,
        terminal: terminal.id,
    })?;
    found.try_map(|(terminal, _)| Ok(terminal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::UtcMillis;

    fn measures() -> Measures {
        Measures { now: UtcMillis(0), contact_seconds: 900, old_versions: vec!["0.0.9".into()] }
    }

    /// A database without terminals: what a statement would do does not depend on them.
    fn plan(sql: &str, values: Vec<Value>) -> String {
        let directory = tempfile::tempdir().unwrap();
        let connection = super::super::schema::open_for_writing(&directory.path().join("x.db")).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        rows::all(&connection.into(), &sql, params_from_iter(values), |row| Ok(row.get::<_, String>(3)?))
            .unwrap()
            .join("\n")
    }

    #[test]
    fn the_board_and_the_list_read_the_contracts_range_and_the_open_holes_once() {
        let contract = ContractId(1);
        let filter = FleetFilter { text: "pc".into(), ..FleetFilter::default() };
        let after = FleetKey { place: 3, terminal: TerminalId::from_random([1; 16]) };
        let mut plans = vec![plan(&counts_sql(), measured(contract, &measures()))];
        for order in [FleetOrder::Attention, FleetOrder::Name, FleetOrder::Contact, FleetOrder::Waiting] {
            let filter = FleetFilter { order, ..filter.clone() };
            for at in [Beside::After(after), Beside::Before(after)] {
                let (sql, values) = page_sql(contract, &measures(), &filter, Some(&at), 50).unwrap();
                plans.push(plan(&sql, values));
            }
        }
        let filter = FleetFilter { show: FleetShow::SameName, ..filter };
        let (sql, values) = page_sql(contract, &measures(), &filter, None, 50).unwrap();
        plans.push(plan(&sql, values));
        for plan in &plans {
            for table in ["terminals", "missing_numbers", "m", "n", "twin", "punches", "events"] {
                assert!(!plan.lines().any(|line| line.starts_with(&format!("SCAN {table}"))), "{plan}");
            }
            assert!(!plan.contains("CORRELATED LIST SUBQUERY"), "the holes are read once: {plan}");
        }
        for plan in [&plans[0], &plans[9]] {
            let names = "SEARCH n USING COVERING INDEX terminals_by_host_name (contract_id=?)";
            assert!(plan.contains(names), "names are read from their index: {plan}");
        }
        for (plan, beyond) in [(&plans[3], ">"), (&plans[4], "<")] {
            let step = format!("terminals_by_name (contract_id=? AND (host_name,id){beyond}(?,?)");
            assert!(plan.contains(&step), "{plan}");
        }
        assert!(plans[0].contains("SEARCH terminals USING PRIMARY KEY (contract_id=?)"), "{}", plans[0]);
    }
}

//! One connection to PostgreSQL, with its prepared statements.
//!
//! The `postgres` crate waits for its own small runtime inside each call and when it is dropped, which must not happen
//! on a thread that drives an asynchronous runtime: queries run on the writer's thread and on blocking threads, and
//! [`Link`] ends on a thread made for that.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use std::borrow::Cow;

use postgres::types::private::BytesMut;
use postgres::types::{FromSql, IsNull, ToSql as PostgresToSql, Type, to_sql_checked};
use postgres::{Client, Config, Row, Statement};
use rusqlite::types::{FromSqlError, ToSql, ToSqlOutput, ValueRef};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::many::Many;
use super::planning::Planning;
use super::{Error, Extent, dialect};

/// Prepared statements kept by a connection; some texts are made of parts, so that there is no end of them.
const STATEMENTS_KEPT: usize = 1_024;

/// The lock that every writing transaction holds, alone or shared with others: "MngnTime" as a number.
const WRITERS: i64 = 0x4d6e_676e_5469_6d65;

/// The first half of the locks of contracts; the second one is made of the contract's number. "MngC".
const CONTRACTS: i32 = 0x4d6e_6743;

/// What a connection that reads sets.
const READS: &str = "SET default_transaction_read_only = on; SET jit = off";

/// What the connection that writes sets. A node that stands still must not hold up all others with its transaction;
/// and whoever has switched off that a commit waits for the disk (or for the replica), has not meant this program.
const WRITES: &str = "SET idle_in_transaction_session_timeout = '30s'; SET jit = off;
    SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// How long the test of an idle connection may take.
const TEST_TIMEOUT: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Cannot write.
    Read,
    /// Writes, durably.
    Write,
}

/// One connection.
pub(crate) struct Link {
    config: Config,
    tls: MakeRustlsConnect,
    access: Access,
    /// Absent only while it is being dropped.
    client: Option<RefCell<Client>>,
    statements: RefCell<HashMap<String, Vec<Prepared>>>,
    planning: Planning,
}

/// A statement for values of these types.
struct Prepared {
    types: Vec<Type>,
    statement: Statement,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("access", &self.access).finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let client = self.client.take();
        // The statements say goodbye through the client's connection: they go first.
        self.statements.borrow_mut().clear();
        let ended = std::thread::Builder::new().name("store-goodbye".into()).spawn(move || drop(client));
        drop(ended.map(std::thread::JoinHandle::join));
    }
}

impl Link {
    /// Connects. Waits for the network: not for a thread that drives an asynchronous runtime.
    pub(crate) fn connect(config: &Config, tls: &MakeRustlsConnect, access: Access) -> Result<Self, Error> {
        let client = Self::session(config, tls, access)?;
        Ok(Self {
            config: config.clone(),
            tls: tls.clone(),
            access,
            client: Some(RefCell::new(client)),
            statements: RefCell::default(),
            planning: Planning::default(),
        })
    }

    fn session(config: &Config, tls: &MakeRustlsConnect, access: Access) -> Result<Client, Error> {
        let mut client = config.connect(tls.clone())?;
        client.batch_execute(match access {
            Access::Read => READS,
            Access::Write => WRITES,
        })?;
        Ok(client)
    }

    /// Lends the client to `work`.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&mut Client) -> Result<T, postgres::Error>,
    ) -> Result<T, Error> {
        let client = self.client.as_ref().ok_or(Error::Closed)?;
        Ok(work(&mut client.borrow_mut())?)
    }

    /// Whether the connection is known to have ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.as_ref().is_none_or(|client| client.borrow().is_closed())
    }

    /// Asks the server for an answer.
    pub(crate) fn test(&self) -> Result<(), Error> {
        self.with(|client| client.is_valid(TEST_TIMEOUT))
    }

    /// Runs statements without values.
    pub(super) fn batch(&self, sql: &str) -> Result<(), Error> {
        self.with(|client| client.batch_execute(sql))
    }

    /// Begins a transaction and takes its locks, so that of all nodes one writes to a contract at a time and sees all that
    /// was written to it before. A connection that has ended meanwhile (the server was restarted, another has taken its
    /// place) is made anew first: nothing has been done on it yet.
    pub(super) fn begin_writing(&mut self, extent: &Extent) -> Result<(), Error> {
        let begin = begin(extent);
        let Err(error) = self.batch(&begin) else { return Ok(()) };
        tracing::warn!(error = %Told(&error), "the database's connection has ended; it is made anew");
        *self = Self::connect(&self.config, &self.tls, self.access)?;
        self.batch(&begin)
    }

    /// Ends a transaction for good. PostgreSQL answers `COMMIT` without an error when an earlier failure has turned it
    /// into a roll-back: the statement before it tells.
    pub(super) fn commit(&self) -> Result<(), Error> {
        self.batch("SELECT 1; COMMIT").inspect_err(|_| {
            // What has not been committed is gone with the connection, should this fail too.
            drop(self.batch("ROLLBACK"));
        })
    }

    /// All rows of a query.
    pub(super) fn query(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Vec<Row>, Error> {
        self.run(sql, values, |client, statement, values| client.query(statement, values))
    }

    /// Runs a statement; returns the rows it touched.
    pub(super) fn execute(&self, sql: &str, values: &[&dyn ToSql]) -> Result<usize, Error> {
        let touched = self.run(sql, values, |client, statement, values| client.execute(statement, values))?;
        Ok(usize::try_from(touched).unwrap_or(usize::MAX))
    }

    /// All rows of a query for many rows of parameters.
    pub(super) fn query_many(&self, sql: &str, many: &Many<'_>) -> Result<Vec<Row>, Error> {
        let (statement, arrays) = self.ready(sql, many)?;
        self.with(|client| client.query(&statement, &arrays))
    }

    /// Runs a statement for many rows of parameters; returns the rows it touched.
    pub(super) fn execute_many(&self, sql: &str, many: &Many<'_>) -> Result<usize, Error> {
        let (statement, arrays) = self.ready(sql, many)?;
        let touched = self.with(|client| client.execute(&statement, &arrays))?;
        Ok(usize::try_from(touched).unwrap_or(usize::MAX))
    }

    fn ready<'a>(
        &self,
        sql: &str,
        many: &'a Many<'_>,
    ) -> Result<(Statement, Vec<&'a (dyn PostgresToSql + Sync)>), Error> {
        let types = many.types();
        let statement = self.prepared(sql, &types, |sql| dialect::for_many(sql, types.len()))?;
        Ok((statement, many.arrays()?))
    }

    fn run<T>(
        &self,
        sql: &str,
        values: &[&dyn ToSql],
        work: impl FnOnce(&mut Client, &Statement, &[&(dyn PostgresToSql + Sync)]) -> Result<T, postgres::Error>,
    ) -> Result<T, Error> {
        let outputs = values.iter().map(|value| value.to_sql()).collect::<Result<Vec<_>, _>>()?;
        let params = outputs.iter().map(|output| self.param(output)).collect::<Result<Vec<_>, _>>()?;
        let types: Vec<Type> = params.iter().map(Param::kind).collect();
        let statement = self.prepared(sql, &types, dialect::translated)?;
        let params: Vec<_> = params.iter().map(|param| param as &(dyn PostgresToSql + Sync)).collect();
        self.with(|client| work(client, &statement, &params))
    }

    /// A value on its way to PostgreSQL. What somebody looks for may hold U+0000, and is found nowhere; kept it cannot
    /// be.
    fn param<'a>(&self, output: &'a ToSqlOutput<'_>) -> Result<Param<'a>, Error> {
        let value = match output {
            ToSqlOutput::Borrowed(value) => *value,
            ToSqlOutput::Owned(value) => ValueRef::from(value),
            _ => return Err(Error::Column(FromSqlError::InvalidType)),
        };
        Ok(match value {
            ValueRef::Null => Param::Null,
            ValueRef::Integer(number) => Param::Integer(number),
            ValueRef::Real(number) => Param::Real(number),
            ValueRef::Blob(bytes) => Param::Blob(bytes),
            ValueRef::Text(text) => {
                let text =
                    std::str::from_utf8(text).map_err(|error| Error::Column(FromSqlError::other(error)))?;
                match (text.contains('\0'), self.access) {
                    (false, _) => Param::Text(Cow::Borrowed(text)),
                    (true, Access::Read) => Param::Text(Cow::Owned(text.replace('\0', "\u{fffd}"))),
                    (true, Access::Write) => return Err(Error::Nul),
                }
            }
        })
    }

    /// The statement for values of these types.
    fn prepared(
        &self,
        sql: &str,
        types: &[Type],
        spelled: impl FnOnce(&str) -> String,
    ) -> Result<Statement, Error> {
        if self.planning.is_due() {
            self.batch("DISCARD PLANS")?;
        }
        let mut statements = self.statements.borrow_mut();
        let known = statements.get(sql).into_iter().flatten();
        if let Some(known) = known.into_iter().find(|known| known.types == types) {
            return Ok(known.statement.clone());
        }
        if statements.len() >= STATEMENTS_KEPT {
            statements.clear();
        }
        let statement = self.with(|client| client.prepare_typed(&spelled(sql), types))?;
        let prepared = Prepared { types: types.to_vec(), statement: statement.clone() };
        statements.entry(sql.to_owned()).or_default().push(prepared);
        Ok(statement)
    }
}

/// Who writes to everything writes alone. Who writes to some contracts shares that lock, and takes theirs, in one order, so
/// that no two wait for each other. Locks are held until the transaction has ended and can be seen by all.
fn begin(extent: &Extent) -> String {
    let contracts = match extent {
        Extent::Everything => return format!("BEGIN; SELECT pg_advisory_xact_lock({WRITERS})"),
        Extent::Contracts(contracts) => contracts,
    };
    // Two contracts with one lock wait for each other, which does no harm.
    let locks: BTreeSet<i64> =
        contracts.iter().map(|contract| contract.rem_euclid(i64::from(i32::MAX))).collect();
    let locks: Vec<String> = locks.iter().map(i64::to_string).collect();
    format!(
        "BEGIN; SELECT pg_advisory_xact_lock_shared({WRITERS});
         SELECT pg_advisory_xact_lock({CONTRACTS}, k) FROM unnest('{{{}}}'::int4[]) AS k",
        locks.join(",")
    )
}

/// A value on its way to PostgreSQL.
#[derive(Debug)]
pub(crate) enum Param<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Blob(&'a [u8]),
}

impl<'a> From<ValueRef<'a>> for Param<'a> {
    /// A text must be one: SQLite's STRICT tables do not look.
    fn from(value: ValueRef<'a>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => Self::Text(String::from_utf8_lossy(text)),
            ValueRef::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl Param<'_> {
    /// The type that the statement is prepared with; what there is not, has the type that the statement says.
    fn kind(&self) -> Type {
        match self {
            Self::Null => Type::UNKNOWN,
            Self::Integer(_) => Type::INT8,
            Self::Real(_) => Type::FLOAT8,
            Self::Text(_) => Type::TEXT,
            Self::Blob(_) => Type::BYTEA,
        }
    }
}

impl PostgresToSql for Param<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) => PostgresToSql::to_sql(number, ty, out),
            Self::Real(number) => PostgresToSql::to_sql(number, ty, out),
            Self::Text(text) => PostgresToSql::to_sql(&text.as_ref(), ty, out),
            Self::Blob(bytes) => PostgresToSql::to_sql(bytes, ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A value as SQLite would give it.
struct Cell<'a>(ValueRef<'a>);

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(match *ty {
            Type::INT8 => ValueRef::Integer(i64::from_sql(ty, raw)?),
            Type::INT4 => ValueRef::Integer(i32::from_sql(ty, raw)?.into()),
            Type::BOOL => ValueRef::Integer(bool::from_sql(ty, raw)?.into()),
            Type::NUMERIC => ValueRef::Integer(whole(raw).ok_or("a number that is not whole")?),
            Type::BYTEA => ValueRef::Blob(raw),
            _ => ValueRef::Text(raw),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(ValueRef::Null))
    }

    fn accepts(ty: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BOOL, Type::NUMERIC, Type::BYTEA, Type::TEXT].contains(ty)
    }
}

/// A NUMERIC (what sums are) as PostgreSQL sends it: number of digits to the base 10,000, power of the first one, sign,
/// decimals, digits (src/backend/utils/adt/numeric.c, `numeric_send`).
fn whole(raw: &[u8]) -> Option<i64> {
    let word = |at: usize| raw.get(2 * at..2 * at + 2).map(|bytes| i16::from_be_bytes([bytes[0], bytes[1]]));
    let (count, weight, sign, decimals) = (word(0)?, word(1)?, word(2)?, word(3)?);
    if decimals != 0 || !matches!(sign, 0 | 0x4000) {
        return None;
    }
    let mut number = 0_i64;
    for place in 0..=weight {
        let digit = if place < count { word(4 + usize::try_from(place).ok()?)? } else { 0 };
        number = number.checked_mul(10_000)?.checked_add(digit.into())?;
    }
    Some(if sign == 0 { number } else { -number })
}

/// The value in a column of a row.
pub(crate) fn cell(row: &Row, place: Option<usize>) -> Result<ValueRef<'_>, Error> {
    let place = place.ok_or(Error::NoSuchColumn)?;
    Ok(row.try_get::<_, Cell<'_>>(place)?.0)
}

/// An error with what lies below it, in one line.
pub(crate) struct Told<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut below = self.0.source();
        while let Some(error) = below {
            write!(f, ": {error}")?;
            below = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_taken_in_one_order_and_once() {
        let of = |contracts: &[i64]| begin(&Extent::Contracts(contracts.to_vec()));
        assert_eq!(of(&[7, 3, 7]), of(&[3, 7]));
        assert!(of(&[7, 3]).contains("unnest('{3,7}'::int4[])"));
        assert!(of(&[-1]).contains("'{2147483646}'"), "whatever a number is, it is a lock");
    }

    fn words(words: &[i16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    #[test]
    fn sums_are_read_as_whole_numbers() {
        assert_eq!(whole(&words(&[0, 0, 0, 0])), Some(0));
        assert_eq!(whole(&words(&[1, 0, 0, 0, 42])), Some(42));
        assert_eq!(whole(&words(&[1, 1, 0, 0, 3])), Some(30_000));
        assert_eq!(whole(&words(&[3, 2, 0x4000, 0, 1, 2, 3])), Some(-100_020_003));
        assert_eq!(whole(&words(&[1, -1, 0, 2, 5_000])), None, "0.50");
        assert_eq!(whole(&words(&[5, 4, 0, 0, 9_999, 0, 0, 0, 0])), None, "beyond 64 bits");
        assert_eq!(whole(&[0, 1, 0]), None);
    }

    #[test]
    fn plans_made_while_a_table_was_empty_do_not_stay() {
        let cluster = crate::postgres::cluster::Cluster::start(&["autovacuum=off"]);
        cluster.create("first_day", None);
        let link = crate::postgres::open_link(&cluster.url("first_day")).unwrap();
        let look = |times: usize| {
            for _ in 0..times {
                let sql = "SELECT id FROM terminals WHERE contract_id = ?1 AND public_key = ?2";
                link.query(sql, &[&1_i64, &"key 7"]).unwrap();
            }
        };
        let plan = || {
            let named =
                "SELECT name FROM pg_prepared_statements WHERE statement LIKE 'SELECT id FROM terminals%'";
            let told = link.with(|client| {
                let name: String = client.query_one(named, &[])?.get(0);
                let rows = client.query(&format!("EXPLAIN EXECUTE {name}(1, 'key 7')"), &[])?;
                Ok(rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n"))
            });
            told.unwrap()
        };
        let right = "terminals_contract_id_public_key_key";
        look(10);
        assert!(!plan().contains(right), "an empty table misleads nobody any more:\n{}", plan());
        cluster.ask("first_day", FIVE_THOUSAND_PCS);
        look(100);
        assert!(plan().contains(right), "{}", plan());
    }

    const FIVE_THOUSAND_PCS: &str = "INSERT INTO contracts (id, code, name, status, logon_punch_option, created_at)
        VALUES (1, 'c', 'c', 'active', 1, 0);
        INSERT INTO terminals (contract_id, id, public_key, host_name, os, makeup, key_class, agent_version, status, enrolled_at)
        SELECT 1, int8send(n), 'key ' || n, 'pc', 'linux', '', 'software', '1.0.0', 'active', 0
        FROM generate_series(1::bigint, 5000) n";
}

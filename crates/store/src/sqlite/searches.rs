//! Saved searches and chosen columns.

use crate::sql::{Connection, params};
use async_trait::async_trait;
use serde_json::json;

use super::{SqliteStore, Work, audit, rows};
use crate::ports::{Act, Answer, SEARCHES_MAX, SavedSearch, Searches};
use crate::{AdministratorId, ContractId, Refusal, SearchId};

#[async_trait]
impl Searches for SqliteStore {
    async fn list_searches(&self, contract: ContractId, person: AdministratorId) -> Answer<Vec<SavedSearch>> {
        self.read("list saved searches", move |connection| {
            rows::all(
                connection,
                "SELECT id, person_id, name, query, shared FROM saved_searches
                 WHERE contract_id = ?1 AND (person_id = ?2 OR shared = 1) ORDER BY name, id LIMIT 100",
                params![contract.0, person.0.as_bytes()],
                |row| {
                    Ok(SavedSearch {
                        id: SearchId(rows::uuid(row, 0)?),
                        person: AdministratorId(rows::uuid(row, 1)?),
                        name: row.get(2)?,
                        query: row.get(3)?,
                        shared: row.get(4)?,
                    })
                },
            )
        })
        .await
    }

    async fn save_search(
        &self,
        contract: ContractId,
        person: AdministratorId,
        name: String,
        query: String,
        shared: bool,
        act: Act,
    ) -> Answer<SearchId> {
        self.write("save a search", move |tx| save(tx, contract, person, (&name, &query), shared, &act)).await
    }

    async fn delete_search(
        &self,
        contract: ContractId,
        person: AdministratorId,
        search: SearchId,
        act: Act,
    ) -> Answer<()> {
        self.write("delete a saved search", move |tx| {
            let sql = "DELETE FROM saved_searches WHERE contract_id = ?1 AND id = ?2 AND person_id = ?3";
            let touched = rows::run(tx, sql, params![contract.0, search.0.as_bytes(), person.0.as_bytes()])?;
            if touched == 0 {
                return Ok(());
            }
            audit::note(tx, Some(contract), "delete_search", &format!("search {search}"), &json!({}), &act)
        })
        .await
    }

    async fn punch_columns(&self, person: AdministratorId) -> Answer<Option<String>> {
        self.read("read the chosen columns", move |connection| {
            let sql = "SELECT columns FROM punch_columns WHERE person_id = ?1";
            rows::one(connection, sql, [person.0.as_bytes()], |row| Ok(row.get(0)?))
        })
        .await
    }

    async fn set_punch_columns(&self, person: AdministratorId, columns: String) -> Answer<()> {
        self.write("keep the chosen columns", move |tx| {
            let sql = "INSERT INTO punch_columns (person_id, columns) VALUES (?1, ?2)
                ON CONFLICT (person_id) DO UPDATE SET columns = excluded.columns";
            rows::run(tx, sql, params![person.0.as_bytes(), columns]).map(drop)
        })
        .await
    }
}

fn save(
    tx: &Connection,
    contract: ContractId,
    person: AdministratorId,
    (name, query): (&str, &str),
    shared: bool,
    act: &Act,
) -> Work<SearchId> {
    let owner = person.0.as_bytes();
    let replaced = "DELETE FROM saved_searches WHERE contract_id = ?1 AND person_id = ?2 AND name = ?3";
    rows::run(tx, replaced, params![contract.0, owner, name])?;
    let count = "SELECT count(*) FROM saved_searches WHERE contract_id = ?1 AND person_id = ?2";
    let count = rows::one(tx, count, params![contract.0, owner], |row| rows::number(row, 0))?.unwrap_or(0);
    if count >= SEARCHES_MAX as u64 {
        return Err(Refusal::TooMany { what: "searches", limit: SEARCHES_MAX }.into());
    }
    let id = SearchId(rows::new_id(act.at)?);
    rows::run(
        tx,
        "INSERT INTO saved_searches (contract_id, id, person_id, name, query, shared, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![contract.0, id.0.as_bytes(), owner, name, query, shared, act.at.0],
    )?;
    let detail = json!({ "name": name, "query": query, "shared": shared });
    audit::note(tx, Some(contract), "save_search", &format!("search {id}"), &detail, act)?;
    Ok(id)
}

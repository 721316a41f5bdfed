//! `mngntime contract create`.

use std::path::Path;

use mngntime_model::ContractCode;
use mngntime_store::{ContractId, KeyHash, NewContract, Refusal, Store, StoreError};

use super::{BadUse, act, block_on, files, open_or_make};
use crate::database;

/// Longest name of a contract, in characters.
const TEXT_MAX: usize = 100;

/// Makes a contract. Its enrolment key is printed now and never again: the server keeps only a hash.
pub fn create(directory: &Path, code: &str, name: &str) -> anyhow::Result<()> {
    let code = ContractCode::new(code).map_err(|error| BadUse(error.to_string()))?;
    let new = !database::is_there(directory);
    let store = open_or_make(directory)?;
    if new {
        eprintln!(
            "{} was no data directory of a server: a new one has been made there. `mngntime serve` uses it with \
             data_dir = \"{0}\". If you meant an existing server, delete it again and name the data_dir of that one.",
            directory.display()
        );
    }
    let (_, key) = block_on(make(&*store, code.clone(), name))?;
    println!("contract={code}");
    println!("enrollment-key={key}");
    eprintln!("Write the enrolment key down: it is not shown again. It goes into the agents' config.toml.");
    Ok(())
}

/// Makes a contract with a new enrolment key.
pub async fn make(store: &dyn Store, code: ContractCode, name: &str) -> anyhow::Result<(ContractId, String)> {
    if name.chars().count() > TEXT_MAX || name.chars().any(char::is_control) {
        let why = format!("--name is at most {TEXT_MAX} characters in one line, without control characters");
        return Err(BadUse(why).into());
    }
    let key = files::new_secret()?;
    let new = NewContract { code, name: name.to_owned(), key: KeyHash::of(&key) };
    let id = store.create_contract(new, act()).await.map_err(refusal_is_bad_use)?;
    Ok((id, key))
}

/// What contradicts the stored data is the caller's mistake.
pub fn refusal_is_bad_use(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Refused(refusal @ Refusal::Taken { .. }) => {
            BadUse(format!("{refusal}; choose another")).into()
        }
        StoreError::Refused(refusal) => BadUse(refusal.to_string()).into(),
        StoreError::Overloaded | StoreError::Closed | StoreError::Away { .. } | StoreError::Failed { .. } => {
            error.into()
        }
    }
}

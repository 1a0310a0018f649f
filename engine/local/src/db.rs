//! The engine's own database, `engine.db`: one row a container, holding its
//! record as JSON. Images and volumes keep their own books.
//!
//! Two ways to commit: durable (an acknowledged create, start, rename survives
//! a power cut) and quick (what a power cut would undo anyway). Either way a
//! killed process loses nothing that was committed.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use rusqlite::{Connection, params};

use crate::Result;

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// On the disk when the call returns.
    Durable,
    /// In the kernel when the call returns.
    Quick,
}

/// The engine's database.
pub struct Db {
    connection: Mutex<Connection>,
}

impl Db {
    /// Opens or makes the database at `path`.
    pub fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS container (
                 id TEXT PRIMARY KEY,
                 name TEXT NOT NULL UNIQUE,
                 record TEXT NOT NULL
             ) STRICT, WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS setting (
                 key TEXT PRIMARY KEY,
                 value TEXT NOT NULL
             ) STRICT, WITHOUT ROWID;
             PRAGMA user_version = 1;",
        )?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Writes a container's record, new or changed.
    pub fn put_container(&self, id: &str, name: &str, record: &str, commit: Commit) -> Result<()> {
        self.at(commit)?.execute(
            "INSERT INTO container (id, name, record) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET name = ?2, record = ?3",
            params![id, name, record],
        )?;
        Ok(())
    }

    /// Forgets a container.
    pub fn delete_container(&self, id: &str, commit: Commit) -> Result<()> {
        self.at(commit)?
            .execute("DELETE FROM container WHERE id = ?1", params![id])?;
        Ok(())
    }

    /// Every container's id and record.
    pub fn containers(&self) -> Result<Vec<(String, String)>> {
        let connection = self.lock();
        let mut statement = connection.prepare("SELECT id, record FROM container")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The value kept under `key`; `make`'s the first time it is asked for.
    pub fn setting(&self, key: &str, make: impl FnOnce() -> String) -> Result<String> {
        let connection = self.at(Commit::Durable)?;
        connection.execute(
            "INSERT INTO setting (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING",
            params![key, make()],
        )?;
        Ok(
            connection.query_row("SELECT value FROM setting WHERE key = ?1", [key], |row| {
                row.get(0)
            })?,
        )
    }

    /// The value kept under `key`, if there is one.
    pub fn get_setting(&self, key: &str) -> Result<Option<String>> {
        let connection = self.lock();
        let mut statement = connection.prepare("SELECT value FROM setting WHERE key = ?1")?;
        let mut rows = statement.query_map([key], |row| row.get(0))?;
        Ok(rows.next().transpose()?)
    }

    /// Keeps `value` under `key`.
    pub fn put_setting(&self, key: &str, value: &str) -> Result<()> {
        self.at(Commit::Durable)?.execute(
            "INSERT INTO setting (key, value) VALUES (?1, ?2)
             ON CONFLICT (key) DO UPDATE SET value = ?2",
            params![key, value],
        )?;
        Ok(())
    }

    fn at(&self, commit: Commit) -> Result<MutexGuard<'_, Connection>> {
        let connection = self.lock();
        let level = match commit {
            Commit::Durable => "FULL",
            Commit::Quick => "NORMAL",
        };
        connection.pragma_update(None, "synchronous", level)?;
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held left SQLite's own state consistent:
        // an open transaction is rolled back when its guard is dropped.
        self.connection.lock().unwrap_or_else(|p| p.into_inner())
    }
}

-- Who may do what: departments as a tree, and people who sign in with a department, an employee and dates.
-- Frozen: a change is a new file with the next number.

-- Departments are never deleted: approvers and employees point at them.
CREATE TABLE departments (
    contract_id INTEGER NOT NULL REFERENCES contracts (id),
    id          BLOB    NOT NULL,
    code        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    parent_id   BLOB,
    PRIMARY KEY (contract_id, id),
    UNIQUE (contract_id, code),
    FOREIGN KEY (contract_id, parent_id) REFERENCES departments (contract_id, id),
    CHECK (parent_id IS NOT id)
) STRICT, WITHOUT ROWID;
CREATE INDEX departments_by_parent ON departments (contract_id, parent_id);

-- The text stays as the name shown; the id says which department that is. A text that names none has no id.
ALTER TABLE employees ADD COLUMN department_id BLOB;
CREATE INDEX employees_by_department ON employees (contract_id, department_id);

-- Departments of before this file are the distinct texts, all of them at the top.
INSERT INTO departments (contract_id, id, code, name)
SELECT contract_id, randomblob(16), department, department
FROM (SELECT DISTINCT contract_id, department FROM employees WHERE trim(department) <> '');
UPDATE employees SET department_id = (SELECT d.id FROM departments d
    WHERE d.contract_id = employees.contract_id AND d.code = employees.department);

-- password_hash: absent until the person has chosen one. department_id: what an approver is responsible for.
-- employee_id: whose own record the person sees. valid_from, valid_until: inclusive dates, absent when open.
-- setup_hash: SHA-256 of the token of the one set-up link that counts.
CREATE TABLE administrators_with_reach (
    id               BLOB    NOT NULL PRIMARY KEY,
    login            TEXT    NOT NULL UNIQUE,
    display_name     TEXT    NOT NULL,
    password_hash    TEXT,
    role             TEXT    NOT NULL,
    contract_id      INTEGER REFERENCES contracts (id),
    department_id    BLOB,
    employee_id      BLOB,
    valid_from       TEXT,
    valid_until      TEXT,
    disabled_at      INTEGER,
    setup_hash       BLOB    UNIQUE,
    setup_expires_at INTEGER,
    created_at       INTEGER NOT NULL,
    FOREIGN KEY (contract_id, department_id) REFERENCES departments (contract_id, id),
    FOREIGN KEY (contract_id, employee_id) REFERENCES employees (contract_id, id),
    CHECK ((role = 'operator') = (contract_id IS NULL)),
    CHECK ((role = 'approver') = (department_id IS NOT NULL)),
    CHECK (role <> 'employee' OR employee_id IS NOT NULL),
    CHECK (contract_id IS NOT NULL OR employee_id IS NULL),
    CHECK ((setup_hash IS NULL) = (setup_expires_at IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO administrators_with_reach (id, login, display_name, password_hash, role, contract_id, created_at)
SELECT id, login, display_name, password_hash, role, contract_id, created_at FROM administrators;
DROP TABLE administrators;
ALTER TABLE administrators_with_reach RENAME TO administrators;

-- Whose session it is, so that all of a person's can be ended. Absent in sessions of before this file, which
-- end by themselves within hours, and in those of nobody.
ALTER TABLE web_sessions ADD COLUMN administrator_id BLOB;
CREATE INDEX web_sessions_by_person ON web_sessions (administrator_id) WHERE administrator_id IS NOT NULL;

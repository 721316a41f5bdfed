-- Punches by half hour (counted from 1970), added up when they are stored and judged: the picture of today is read from
-- here. department_id: of the employee, as he is now; empty without one. The last forty days are kept.
CREATE TABLE punch_figures (
    contract_id   INTEGER NOT NULL,
    half_hour     INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    department_id BLOB    NOT NULL,
    punches       INTEGER NOT NULL,
    errors        INTEGER NOT NULL,
    PRIMARY KEY (contract_id, half_hour, kind, department_id),
    FOREIGN KEY (contract_id) REFERENCES contracts (id)
) STRICT, WITHOUT ROWID;
INSERT INTO punch_figures
    SELECT p.contract_id, p.occurred_at / 1800000, p.kind, coalesce(e.department_id, x''), count(*), count(p.res)
    FROM punches p LEFT JOIN employees e ON e.contract_id = p.contract_id AND e.id = p.employee_id
    WHERE p.occurred_at >= (SELECT max(received_at) FROM punches) - 3456000000
    GROUP BY 1, 2, 3, 4;

-- As V13 of SQLite.
CREATE TABLE punch_figures (
    contract_id   BIGINT NOT NULL REFERENCES contracts (id),
    half_hour     BIGINT NOT NULL,
    kind          TEXT COLLATE "C" NOT NULL,
    department_id BYTEA NOT NULL,
    punches       BIGINT NOT NULL,
    errors        BIGINT NOT NULL,
    PRIMARY KEY (contract_id, half_hour, kind, department_id)
);
INSERT INTO punch_figures
    SELECT p.contract_id, p.occurred_at / 1800000, p.kind, coalesce(e.department_id, '\x'), count(*), count(p.res)
    FROM punches p LEFT JOIN employees e ON e.contract_id = p.contract_id AND e.id = p.employee_id
    WHERE p.occurred_at >= (SELECT max(received_at) FROM punches) - 3456000000
    GROUP BY 1, 2, 3, 4;

ALTER TABLE flyway_patient ADD COLUMN born date, ADD COLUMN city text DEFAULT 'Rome';
CREATE INDEX flyway_patient_ssn_name ON flyway_patient (ssn, name);
INSERT INTO flyway_patient (name, ssn, note) VALUES ('Ann', '078-05-1120', 'canary of a migration');
UPDATE flyway_patient SET born = '1990-02-03' WHERE ssn = '078-05-1120';
CREATE TABLE flyway_visit (id integer PRIMARY KEY, ssn varchar(11) REFERENCES flyway_patient (ssn) ON DELETE CASCADE);
INSERT INTO flyway_visit (id, ssn) SELECT id, ssn FROM flyway_patient;

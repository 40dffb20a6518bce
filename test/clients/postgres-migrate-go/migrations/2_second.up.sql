ALTER TABLE golang_patient ADD COLUMN born date, ADD COLUMN city text DEFAULT 'Rome';
CREATE INDEX golang_patient_ssn_name ON golang_patient (ssn, name);
INSERT INTO golang_patient (name, ssn, note) VALUES ('Ann', '078-05-1120', 'canary of a migration');
UPDATE golang_patient SET born = '1990-02-03' WHERE ssn = '078-05-1120';
CREATE TABLE golang_visit (id integer PRIMARY KEY, ssn varchar(11) REFERENCES golang_patient (ssn) ON DELETE CASCADE);
INSERT INTO golang_visit (id, ssn) SELECT id, ssn FROM golang_patient;

DROP TABLE golang_visit;
DROP INDEX golang_patient_ssn_name;
ALTER TABLE golang_patient DROP COLUMN city, DROP COLUMN born;

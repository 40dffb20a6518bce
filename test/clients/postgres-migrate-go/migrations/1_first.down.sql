DROP TABLE golang_patient;

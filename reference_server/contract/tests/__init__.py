"""Tests of the contract as data: tables agree with each other, the export with the tables, examples with the models."""

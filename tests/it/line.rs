//! Lines: every measured case reads, writes back and completes.

use headroom::catalog::Catalog;
use headroom::request::complete;
use headroom::request::line::{read, write};

fn lines(table: &str) -> Vec<String> {
    let mut reader = csv::Reader::from_path(table).expect("the table is there");
    let column = reader.headers().expect("a header").iter().position(|name| name == "line").expect("a line column");
    reader.records().map(|row| row.expect("a row")[column].to_owned()).filter(|line| !line.is_empty()).collect()
}

#[track_caller]
fn check(table: &str) {
    let catalog = Catalog::embedded();
    let mut faults = vec![];
    for line in lines(table) {
        match read(&line, catalog) {
            Err(problem) => faults.push(format!("{line}: {problem:?}")),
            Ok(asked) => {
                if !asked.ignored.is_empty() {
                    faults.push(format!("{line}: ignored {:?}", asked.ignored));
                }
                let again = read(&write(&asked.settings), catalog).map(|read| read.settings);
                if again.as_ref() != Ok(&asked.settings) {
                    faults.push(format!("{line}: again {again:?}"));
                }
                if let Err(problem) = complete(&asked.settings, catalog) {
                    faults.push(format!("{line}: {problem:?}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_training_case_reads_back_and_completes() {
    check("tests/data/training-cases.csv");
}

#[test]
fn every_memory_case_reads_back_and_completes() {
    check("tests/data/inference-memory-cases.csv");
}

#[test]
fn every_serving_case_reads_back_and_completes() {
    check("tests/data/inference-throughput-cases.csv");
}

//! The catalog against published figures.

use headroom::catalog::Catalog;
use serde::Deserialize;

/// Totals of models built by `transformers` 5.23 on the meta device; embedding and head also where the total
/// was not built.
#[derive(Deserialize)]
struct Published {
    id: String,
    total: Option<u64>,
    active: Option<u64>,
    embedding: u64,
    lm_head: u64,
    routed_experts: u64,
    router_bias: u64,
    mtp: Option<u64>,
}

#[test]
fn counts() {
    let catalog = Catalog::embedded();
    let mut bad = 0;
    let mut n = 0;
    for row in csv::Reader::from_path("tests/data/model-counts.csv").unwrap().deserialize() {
        let row: Published = row.unwrap();
        let model = catalog.model(&row.id).unwrap();
        let c = &model.counts;
        let wrong = [
            ("total", row.total, c.total),
            ("active", row.active, c.active),
            ("emb", Some(row.embedding), c.embedding),
            ("head", Some(row.lm_head), c.lm_head),
            ("routed", Some(row.routed_experts), c.routed_experts),
            ("mtp", row.mtp, c.mtp),
        ];
        n += 1;
        let mut line = String::new();
        for (k, want, got) in wrong {
            if let Some(w) = want {
                if w != got {
                    line += &format!(" {k} want {w} got {got} diff {}", got as i64 - w as i64);
                }
            }
        }
        if !line.is_empty() {
            bad += 1;
            println!("{} [{}] L{} h{}:{line}", row.id, model.model_type, model.order.len(), model.hidden_size);
        }
    }
    println!("{bad} of {n}");
    let _ = catalog.gpus.len();
}

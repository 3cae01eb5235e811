fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let mut o = headroom::validate::Options::default();
    let mut p = vec![];
    let mut i = 0;
    while i < a.len() {
        if a[i] == "--leave-out" {
            o.leave_out = Some(a[i + 1].clone());
            i += 2
        } else {
            p.push(a[i].clone().into());
            i += 1
        }
    }
    match headroom::validate::run(&p, &o) {
        Ok(r) => {
            println!("{r}");
            if std::env::var("ALL").is_ok() {
                for s in &r.scores {
                    for c in &s.cases {
                        println!(
                            "ALL\t{}\t{}\t{:.4}\t{}\t{}\t{}\t{}",
                            s.quantity,
                            c.id,
                            c.predicted / c.measured,
                            c.predicted,
                            c.measured,
                            c.range.map_or(0, |r| (r.0 <= c.measured && c.measured <= r.1) as i32),
                            c.line
                        )
                    }
                }
            }
        }
        Err(e) => println!("{e}"),
    }
}

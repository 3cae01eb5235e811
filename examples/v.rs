use std::env;
fn main() {
    let mut options = headroom::validate::Options::default();
    let mut paths = vec![];
    let mut args = env::args().skip(1);
    while let Some(a) = args.next() {
        match &*a {
            "--fit" => options.fit = true,
            "--leave-out" => options.leave_out = args.next(),
            _ => paths.push(a.into()),
        }
    }
    let r = headroom::validate::run(&paths, &options).unwrap();
    println!("{r}");
    if env::var("ALL").is_ok() {
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
                );
            }
        }
    }
}

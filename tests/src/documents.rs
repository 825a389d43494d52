//! Statements to take along: the same figures as on screen, for the same people, and nothing in them that runs.

use crate::http::Server;
use crate::stage::{Stage, small_company, write};
use attain_app::access::Role;

const PATH: &str = "/payees/ana/periods/2026-01/statement";

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_can_be_taken_along_by_those_who_may_see_it() {
    let stage = Stage::sqlite().await;
    let mut company = small_company();
    company.insert("people.csv", "payee_id,name,email\nana,\"=HYPERLINK(\"\"http://127.0.0.1\"\")\",\nben,Ben,\nmia,Mia,\n".to_owned());
    let plan = company["plans/seller.toml"].replace("id = \"commission\"", "id = \"commission\"\nname = \"=1+1\"");
    company.insert("plans/seller.toml", plan);
    stage.instance.load(write(&company).path()).await.expect("the company loads");
    stage.instance.run(&|_| ()).await.expect("it is calculated");
    let server = Server::start(&stage).await;
    let ana = server.token_of("ana", &[Role::Seller], Some("ana")).await;
    let ben = server.token_of("ben", &[Role::Seller], Some("ben")).await;
    let mia = server.token_of("mia", &[Role::Manager], Some("mia")).await;
    let platform = server.token(Role::Platform).await;

    let shown = server.get(&ana, PATH).expect(200);
    let forms = [
        ("pdf", "application/pdf", "%PDF-"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "PK"),
        ("csv", "text/csv; charset=utf-8", "payee_id,"),
    ];
    for (ending, media_type, start) in forms {
        let path = format!("{PATH}.{ending}");
        let own = server.get(&ana, &path);
        assert_eq!(own.status, 200, "{ending}: {}", String::from_utf8_lossy(&own.body));
        assert_eq!(own.header("content-type"), Some(media_type));
        assert_eq!(own.header("content-disposition"), Some(format!("attachment; filename=\"statement-ana-2026-01.{ending}\"").as_str()));
        assert_eq!(own.header("cache-control"), Some("no-store"));
        assert!(own.body.starts_with(start.as_bytes()), "{ending}");
        assert!(server.get(&mia, &path).body == own.body, "{ending}: her manager gets the same bytes");
        assert_eq!(server.get(&ben, &path).status, 404, "{ending}: a peer");
        assert_eq!(server.get(&platform, &path).status, 403, "{ending}: who runs the machine");
        assert_eq!(server.get("", &path).status, 401, "{ending}: a stranger");
        assert_eq!(server.get(&ana, &format!("/payees/ana/periods/2026-07/statement.{ending}")).status, 404, "{ending}: a later period");
    }

    let csv = server.get(&ana, &format!("{PATH}.csv"));
    let mut lines = csv.text().lines();
    let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let row: Vec<&str> = lines.next().expect("a line").split(',').collect();
    let value = |name: &str| row[names.iter().position(|own| *own == name).expect("the column")];
    let line = &shown["components"][0];
    for name in ["credited", "to_date", "quota", "attainment", "amount"] {
        assert_eq!(Some(value(name)), line[name].as_str(), "{name}");
    }
    assert_eq!(value("name"), "'=1+1");
    assert_eq!(value("run_id"), shown["run_id"].as_str().expect("a run"));
    assert_eq!(lines.next(), None);
    server.stop().await;
    stage.remove().await;
}

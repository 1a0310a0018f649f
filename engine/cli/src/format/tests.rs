//! Templates run on small data; expected texts are what Docker's client prints
//! for the same template.

use super::*;

fn row() -> Value {
    let entries = [
        ("ID", Value::text("81c752faba14")),
        ("Image", Value::text("busybox")),
        ("Names", Value::text("web")),
        ("State", Value::text("running")),
        ("Ports", Value::text("127.0.0.1:18080->80/tcp")),
        ("Platform", Value::Nil(Nil::Pointer)),
    ];
    let mut object = Object::new(
        Kind::Row("*formatter.ContainerContext"),
        entries.map(|(k, v)| (k.to_owned(), v)).to_vec(),
    );
    object.labels = vec![("a".to_owned(), "b".to_owned())];
    Value::Object(object)
}

fn inspected() -> Value {
    Value::from_json(
        br#"{"Id":"81c7","State":{"Running":true,"Pid":7,"Error":""},
            "Config":{"Labels":{"c":"d","a":"b"},"Env":null,"Cmd":["sleep","9"],"Volumes":null},
            "HostConfig":{"Init":null,"Memory":0},
            "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"","HostPort":"18080"}]}}}"#,
    )
    .unwrap()
}

fn run(data: &Value, template: &str) -> String {
    match Template::parse(template) {
        Err(error) => error.to_string(),
        Ok(parsed) => {
            let mut output = String::new();
            match parsed.execute(data, Functions::Usual, &mut output) {
                Ok(()) => output,
                Err(error) => error.to_string(),
            }
        }
    }
}

#[track_caller]
fn check(template: &str, expected: &str) {
    assert_eq!(run(&row(), template), expected, "{template}");
}

#[track_caller]
fn check_inspect(template: &str, expected: &str) {
    assert_eq!(run(&inspected(), template), expected, "{template}");
}

#[test]
fn fields_and_functions() {
    check("{{.ID}}", "81c752faba14");
    check("{{upper .Image | lower}}", "busybox");
    check(
        r#"{{printf "%q %10s|%-8s|" .ID .Image .State}}"#,
        "\"81c752faba14\"    busybox|running |",
    );
    check("{{len .ID}}", "12");
    check("{{split .Image \":\"}}", "[busybox]");
    check("{{pad .ID 2 3}}|", "  81c752faba14   |");
    check("{{truncate .ID 3}}", "81c");
    check("{{title .Image}}", "Busybox");
    check(r#"{{join (split .Image "y") "-"}}"#, "bus-box");
    check("{{println .ID}}", "81c752faba14\n");
    check(r#"{{eq .ID "x" | not}}"#, "true");
    check(r#"{{.Label "a"}}"#, "b");
    check(r#"{{.Label "nope"}}"#, "");
    check("{{json .Ports}}", "\"127.0.0.1:18080->80/tcp\"");
    check("{{index .Names 0}}", "119");
    check("{{slice .ID 1 3}}", "1c");
    check(r#"{{html "<a>"}}{{urlquery "a b"}}"#, "&lt;a&gt;a+b");
}

#[test]
fn constants() {
    check("{{1 | printf \"%d\"}}", "1");
    check(
        "{{1.5}} {{1e3}} {{0x10}} {{'a'}} {{true}}",
        "1.5 1000 16 97 true",
    );
    check(r#"{{"\x41é\n"}}{{`raw\n`}}"#, "Aé\nraw\\n");
    check(r#"{{print 1 2 "a" "b" 3}}"#, "1 2ab3");
    check("{{-1}}", "-1");
}

#[test]
fn control_and_variables() {
    check("{{if .ID}}y{{else}}n{{end}}", "y");
    check(
        "{{if eq .ID \"x\"}}1{{else if eq .State \"running\"}}2{{else}}3{{end}}",
        "2",
    );
    check("{{with .ID}}{{.}}{{else}}no{{end}}", "81c752faba14");
    check(
        r#"{{range $i, $e := split "ab" ""}}{{$i}}{{$e}}{{end}}"#,
        "0a1b",
    );
    check(r#"{{range split "a,b" ","}}{{.}};{{end}}"#, "a;b;");
    check("{{range 3}}x{{end}}", "xxx");
    check("{{range 9}}{{if eq . 2}}{{break}}{{end}}{{.}}{{end}}", "01");
    check(
        "{{range 3}}{{if eq . 1}}{{continue}}{{end}}{{.}}{{end}}",
        "02",
    );
    check("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2");
    check("{{/* c */ -}} x {{- .Names}}", "xweb");
    check("a {{- /* c */ -}} b", "ab");
    check("{{and 1 0}}{{or 0 2}}", "02");
    check(
        r#"{{define "t"}}<{{.}}>{{end}}{{template "t" .Names}}"#,
        "<web>",
    );
    check("{{range split \"\" \",\"}}{{else}}none{{end}}", "");
}

#[test]
fn what_inspect_prints() {
    check_inspect("{{.Id}} {{.ID}}", "81c7 81c7");
    check_inspect("{{.State}}", "{true 7 }");
    check_inspect("{{.Config.Labels}}", "map[a:b c:d]");
    check_inspect("{{json .Config.Labels}}", r#"{"a":"b","c":"d"}"#);
    check_inspect("{{index .Config.Labels \"a\"}}", "b");
    check_inspect("{{index .Config.Labels \"zz\"}}", "");
    check_inspect(
        "{{.Config.Cmd}} {{.Config.Env}} {{.Config.Volumes}}",
        "[sleep 9] [] map[]",
    );
    check_inspect("{{.HostConfig.Init}} {{.HostConfig.Memory}}", "<nil> 0");
    check_inspect("{{.NetworkSettings.Ports}}", "map[80/tcp:[{ 18080}]]");
    check_inspect(
        "{{range $p, $c := .NetworkSettings.Ports}}{{$p}}={{(index $c 0).HostPort}}{{end}}",
        "80/tcp=18080",
    );
    check_inspect("{{.State.Health}}{{if .State.Health}}x{{end}}", "<nil>");
    check_inspect(
        "{{.State.Foo}}",
        "template: :1:8: executing \"\" at <.State.Foo>: map has no entry for key \"Foo\"",
    );
    check_inspect(
        "{{.State.Health.Status}}",
        "template: :1:8: executing \"\" at <.State.Health.Status>: map has no entry for key \"Health\"",
    );
}

#[test]
fn templates_that_make_no_sense() {
    check("{{.ID", "template: :1: unclosed action");
    check("{{foo .ID}}", "template: :1: function \"foo\" not defined");
    check("{{}}", "template: :1: missing value for command");
    check("{{.ID}}{{end}}", "template: :1: unexpected {{end}}");
    check("{{if .ID}}x", "template: :1: unexpected EOF");
    check("{{\"a}}", "template: :1: unterminated quoted string");
    check("{{$y}}", "template: :1: undefined variable \"$y\"");
    check("{{.ID}", "template: :1: bad character U+007D '}'");
    check("{{break}}", "template: :1: {{break}} outside {{range}}");
    check("{{ .ID.}}", "template: :1: unexpected <.> in operand");
    check("{{1a}}", "template: :1: bad number syntax: \"1a\"");
    check("{{if}}x{{end}}", "template: :1: missing value for if");
    check("{{else}}", "template: :1: unexpected {{else}}");
    check("{{(.ID}}", "template: :1: unclosed left paren");
    check("{{.ID)}}", "template: :1: unexpected right paren");
    check("{{@}}", "template: :1: unexpected \"@\" in command");
    check("a\n{{foo}}", "template: :2: function \"foo\" not defined");
}

#[test]
fn templates_that_do_not_fit_the_data() {
    let at = |place: &str, rest: &str| format!("template: :1:{place}: executing \"\" at {rest}");
    let check = |template: &str, place: &str, rest: &str| check(template, &at(place, rest));
    check(
        "{{.Foo}}",
        "2",
        "<.Foo>: can't evaluate field Foo in type *formatter.ContainerContext",
    );
    check(
        "{{.ID.Foo}}",
        "5",
        "<.ID.Foo>: can't evaluate field Foo in type string",
    );
    check(
        "{{.ID .Image}}",
        "2",
        "<.ID>: wrong number of args for ID: want 0 got 1",
    );
    check(
        "{{.Label}}",
        "2",
        "<.Label>: wrong number of args for Label: want 1 got 0",
    );
    check(
        "{{not}}",
        "2",
        "<not>: wrong number of args for not: want 1 got 0",
    );
    check("{{truncate 3 .ID}}", "11", "<3>: expected string; found 3");
    check(
        "{{index 1 2}}",
        "2",
        "<index 1 2>: error calling index: can't index item of type int",
    );
    check(
        "{{len 3}}",
        "2",
        "<len 3>: error calling len: len of type int",
    );
    check(
        "{{lt 1 2}}{{lt 1 \"a\"}}",
        "12",
        "<lt 1 \"a\">: error calling lt: incompatible types for comparison",
    );
    check("{{nil}}", "2", "<nil>: nil is not a command");
    check(
        "{{template \"x\"}}",
        "11",
        "<{{template \"x\"}}>: template \"x\" not defined",
    );
    check(
        "{{call 1}}",
        "2",
        "<call 1>: error calling call: non-function 1 of type int",
    );
}

#[test]
fn rows_as_json_are_sorted_and_escaped() {
    assert_eq!(
        to_json(&row()),
        r#"{"ID":"81c752faba14","Image":"busybox","Names":"web","Platform":null,"Ports":"127.0.0.1:18080-\u003e80/tcp","State":"running"}"#
    );
}

#[test]
fn verbs_of_printf() {
    check(
        r#"{{printf "%5d|%-5d|%05d|%+d" 42 42 42 42}}"#,
        "   42|42   |00042|+42",
    );
    check(
        r#"{{printf "%x %X %o %b %c %U" 255 255 8 5 65 65}}"#,
        "ff FF 10 101 A U+0041",
    );
    check(
        r#"{{printf "%.2f %e %g %v" 1.5 1.5 1.5 1e30}}"#,
        "1.50 1.500000e+00 1.5 1e+30",
    );
    check(
        r#"{{printf "%t %v %T" true false "a"}}"#,
        "true false string",
    );
    check(r#"{{printf "%.3s|%x|%%" "abcdef" "ab"}}"#, "abc|6162|%");
    check(r#"{{printf "%d" "a"}}"#, "%!d(string=a)");
    check(r#"{{printf "%s"}}"#, "%!s(MISSING)");
    check(r#"{{printf "a" 1}}"#, "a%!(EXTRA int=1)");
    check(r#"{{printf "%*d" 4 7}}"#, "   7");
}

proptest::proptest! {
    #[test]
    fn any_template_is_parsed_or_refused(text in "(\\{\\{|\\}\\}|[ .$|()\"a-z0-9:=,-]|if|end|range|else){0,24}") {
        let _ = run(&row(), &text);
    }
}

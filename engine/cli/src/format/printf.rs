//! Go's `fmt` verbs, as far as templates use them.

use super::value::Value;

/// `fmt.Sprintf(format, arguments…)`.
pub fn sprintf(format: &str, arguments: &[Value]) -> String {
    let mut output = String::new();
    let mut arguments = arguments.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            output.push(c);
            continue;
        }
        let mut spec = Spec::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '+' | '#' | '0' | ' ')) {
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                '#' => spec.sharp = true,
                '0' => spec.zero = true,
                _ => spec.space = true,
            }
        }
        spec.width = count(&mut chars, &mut arguments);
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(count(&mut chars, &mut arguments).unwrap_or(0));
        }
        match chars.next() {
            None => output.push_str("%!(NOVERB)"),
            Some('%') => output.push('%'),
            Some(verb) => match arguments.next() {
                Some(value) => output.push_str(&spec.pad(spec.verb(verb, value), value)),
                None => {
                    output.push_str("%!");
                    output.push(verb);
                    output.push_str("(MISSING)");
                }
            },
        }
    }
    let extra: Vec<String> = arguments
        .map(|value| format!("{}={value}", value.type_name()))
        .collect();
    if !extra.is_empty() {
        output.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    output
}

/// `fmt.Sprint`: spaces between neighbours of which neither is a string.
pub fn sprint(arguments: &[Value]) -> String {
    let mut output = String::new();
    for (index, value) in arguments.iter().enumerate() {
        let text = |value: &Value| matches!(value, Value::Text(_));
        if index > 0 && !text(value) && !text(&arguments[index - 1]) {
            output.push(' ');
        }
        output.push_str(&value.to_string());
    }
    output
}

/// `fmt.Sprintln`.
pub fn sprintln(arguments: &[Value]) -> String {
    let parts: Vec<String> = arguments.iter().map(Value::to_string).collect();
    parts.join(" ") + "\n"
}

/// `%g`: shortest, with an exponent where it is large or small.
pub fn float_g(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e21).contains(&size) {
        return float_e(number);
    }
    format!("{number}")
}

/// `%e` with the shortest mantissa and at least two digits of exponent.
pub fn float_e(number: f64) -> String {
    exponent(&format!("{number:e}"))
}

/// `%q`.
pub fn quote(text: &str) -> String {
    let mut output = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => output.push_str("\\\""),
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            '\u{7}' => output.push_str("\\a"),
            '\u{8}' => output.push_str("\\b"),
            '\u{b}' => output.push_str("\\v"),
            '\u{c}' => output.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                output.push_str(&format!("\\x{:02x}", c as u32));
            }
            c if c.is_control() => output.push_str(&format!("\\u{:04x}", c as u32)),
            c => output.push(c),
        }
    }
    output.push('"');
    output
}

#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    sharp: bool,
    zero: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

impl Spec {
    fn verb(&self, verb: char, value: &Value) -> String {
        match (verb, value) {
            ('v', Value::Float(number)) => self.signed(float_g(*number)),
            ('v', Value::Int(number)) => self.signed(number.to_string()),
            ('v' | 's', Value::Text(text)) => self.cut(text),
            ('v', _) => value.to_string(),
            ('T', _) => value.type_name().to_owned(),
            ('q', Value::Text(text)) => {
                let text = self.cut(text);
                match self.sharp && !text.contains('`') {
                    true => format!("`{text}`"),
                    false => quote(&text),
                }
            }
            ('x' | 'X', Value::Text(text)) => {
                let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
                if verb == 'X' { hex.to_uppercase() } else { hex }
            }
            ('d', Value::Int(number)) => self.signed(number.to_string()),
            ('x', Value::Int(number)) => self.signed(radix(*number, 16)),
            ('X', Value::Int(number)) => self.signed(radix(*number, 16).to_uppercase()),
            ('o', Value::Int(number)) => self.signed(radix(*number, 8)),
            ('b', Value::Int(number)) => self.signed(radix(*number, 2)),
            ('c', Value::Int(number)) => character(*number).to_string(),
            ('q', Value::Int(number)) => format!("'{}'", character(*number)),
            ('U', Value::Int(number)) => format!("U+{number:04X}"),
            ('t', Value::Bool(value)) => value.to_string(),
            ('f' | 'F', Value::Float(number)) => {
                self.signed(format!("{number:.*}", self.precision.unwrap_or(6)))
            }
            ('e', Value::Float(number)) => {
                let precision = self.precision.unwrap_or(6);
                self.signed(exponent(&format!("{number:.precision$e}")))
            }
            ('g', Value::Float(number)) => self.signed(float_g(*number)),
            (_, Value::List(items)) => {
                let parts: Vec<String> = items.iter().map(|i| self.verb(verb, i)).collect();
                format!("[{}]", parts.join(" "))
            }
            ('s' | 'd', Value::Object(_)) => value.to_string(),
            (_, Value::Nil(_)) => format!("%!{verb}(<nil>)"),
            _ => format!("%!{verb}({}={value})", value.type_name()),
        }
    }

    fn signed(&self, text: String) -> String {
        if text.starts_with(['-', '+']) {
            text
        } else if self.plus {
            format!("+{text}")
        } else if self.space {
            format!(" {text}")
        } else {
            text
        }
    }

    fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        }
    }

    fn pad(&self, text: String, value: &Value) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        if missing == 0 {
            return text;
        }
        if self.left {
            return text + &" ".repeat(missing);
        }
        if self.zero && matches!(value, Value::Int(_) | Value::Float(_)) {
            let sign = usize::from(text.starts_with(['-', '+', ' ']));
            let (sign, digits) = text.split_at(sign);
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        let fill = if self.zero { "0" } else { " " };
        fill.repeat(missing) + &text
    }
}

/// Digits, or a `*` and its argument.
fn count<'a>(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    arguments: &mut impl Iterator<Item = &'a Value>,
) -> Option<usize> {
    /// Wide enough for any line, narrow enough for any memory.
    const WIDEST: usize = 1_000_000;
    if chars.next_if_eq(&'*').is_some() {
        let count = arguments.next()?.as_int()?;
        return usize::try_from(count).ok().map(|count| count.min(WIDEST));
    }
    let mut digits = None;
    while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
        chars.next();
        digits = Some((digits.unwrap_or(0) * 10 + digit as usize).min(WIDEST));
    }
    digits
}

fn radix(number: i128, radix: u32) -> String {
    let mut digits = Vec::new();
    let mut rest = number.unsigned_abs();
    loop {
        let digit = (rest % u128::from(radix)) as u32;
        digits.extend(char::from_digit(digit, radix));
        rest /= u128::from(radix);
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push('-');
    }
    digits.into_iter().rev().collect()
}

fn character(number: i128) -> char {
    u32::try_from(number)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Rust writes `1e3`, Go `1e+03`.
fn exponent(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text.to_owned();
    };
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

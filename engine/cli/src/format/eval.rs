//! Runs a parsed template.

use super::error::{At, Call, ExecError, Place};
use super::functions;
use super::known;
use super::tree::{Branch, Command, Node, Operand, OperandKind, Pipeline, Tree};
use super::value::{Kind, Nil, Object, Value, sorted};
use super::{Functions, printf};

/// Runs `tree` on `data`.
pub fn execute(
    tree: &Tree,
    data: &Value,
    functions: Functions,
    output: &mut String,
) -> Result<(), ExecError> {
    let mut run = Run {
        tree,
        functions,
        output,
        variables: vec![("$".to_owned(), data.clone())],
        depth: 0,
    };
    run.nodes(&tree.root, data).map(|_| ())
}

struct Run<'a> {
    tree: &'a Tree,
    functions: Functions,
    output: &'a mut String,
    variables: Vec<(String, Value)>,
    depth: usize,
}

/// How a list of nodes ended.
#[derive(PartialEq)]
enum Flow {
    On,
    Break,
    Continue,
}

impl Run<'_> {
    fn error(&self, at: &dyn At, message: impl Into<String>) -> ExecError {
        ExecError::new(&self.tree.text, at, message)
    }

    fn nodes(&mut self, nodes: &[Node], dot: &Value) -> Result<Flow, ExecError> {
        for node in nodes {
            match node {
                Node::Text(text) => self.output.push_str(text),
                Node::Action(pipeline) => {
                    let value = self.pipeline(pipeline, dot)?;
                    if pipeline.variables.is_empty() {
                        self.output.push_str(&value.to_string());
                    }
                }
                Node::If(branch) => {
                    let flow = self.scoped(|run| {
                        let value = run.pipeline(&branch.pipeline, dot)?;
                        let body = if value.truth() {
                            &branch.body
                        } else {
                            &branch.otherwise
                        };
                        run.nodes(body, dot)
                    })?;
                    if flow != Flow::On {
                        return Ok(flow);
                    }
                }
                Node::With(branch) => {
                    let flow = self.scoped(|run| {
                        let value = run.pipeline(&branch.pipeline, dot)?;
                        if value.truth() {
                            run.nodes(&branch.body, &value)
                        } else {
                            run.nodes(&branch.otherwise, dot)
                        }
                    })?;
                    if flow != Flow::On {
                        return Ok(flow);
                    }
                }
                Node::Range(branch) => {
                    self.scoped(|run| run.range(branch, dot))?;
                }
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
                Node::Template {
                    name,
                    argument,
                    position,
                    source,
                } => self.template(name, argument.as_ref(), dot, (*position, source))?,
            }
        }
        Ok(Flow::On)
    }

    /// Runs `body` and forgets the variables it made.
    fn scoped<T>(
        &mut self,
        body: impl FnOnce(&mut Self) -> Result<T, ExecError>,
    ) -> Result<T, ExecError> {
        let before = self.variables.len();
        let result = body(self);
        self.variables.truncate(before);
        result
    }

    fn template(
        &mut self,
        name: &str,
        argument: Option<&Pipeline>,
        dot: &Value,
        (position, source): (usize, &str),
    ) -> Result<(), ExecError> {
        /// Go's limit is larger; nobody nests so deep by intention.
        const DEEPEST: usize = 1000;
        let place = Place { position, source };
        let tree = self.tree;
        let Some((_, body)) = tree.defined.iter().rev().find(|(known, _)| known == name) else {
            return Err(self.error(&place, format!("template {name:?} not defined")));
        };
        if self.depth == DEEPEST {
            return Err(self.error(&place, "exceeded maximum template depth (1000)"));
        }
        let data = match argument {
            Some(pipeline) => self.pipeline(pipeline, dot)?,
            None => Value::Nil(Nil::Pointer),
        };
        let outer = std::mem::replace(&mut self.variables, vec![("$".to_owned(), data.clone())]);
        self.depth += 1;
        let result = self.nodes(body, &data);
        self.depth -= 1;
        self.variables = outer;
        result.map(|_| ())
    }

    fn range(&mut self, branch: &Branch, dot: &Value) -> Result<Flow, ExecError> {
        let names = &branch.pipeline.variables;
        let over = self.pipeline_value(&branch.pipeline, dot)?;
        let items: Vec<(Value, Value)> = match &over {
            Value::List(items) => (0..).map(Value::Int).zip(items.iter().cloned()).collect(),
            Value::Object(object) if object.kind == Kind::Map => sorted(&object.entries)
                .into_iter()
                .map(|(key, value)| (Value::text(key), value.clone()))
                .collect(),
            Value::Int(count) => (0..*count)
                .map(|i| (Value::Int(i), Value::Int(i)))
                .collect(),
            Value::Nil(_) => Vec::new(),
            other => {
                let message = format!("range can't iterate over {other}");
                return Err(self.error(&branch.pipeline, message));
            }
        };
        if items.is_empty() {
            return self.nodes(&branch.otherwise, dot);
        }
        for (key, item) in items {
            let flow = self.scoped(|run| {
                match names.as_slice() {
                    [value] => run.set(value, item.clone(), branch.pipeline.declares),
                    [index, value] => {
                        run.set(index, key.clone(), branch.pipeline.declares);
                        run.set(value, item.clone(), branch.pipeline.declares);
                    }
                    _ => {}
                }
                run.nodes(&branch.body, &item)
            })?;
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::On)
    }

    fn set(&mut self, name: &str, value: Value, declares: bool) {
        if !declares
            && let Some(variable) = self.variables.iter_mut().rev().find(|(n, _)| n == name)
        {
            variable.1 = value;
            return;
        }
        self.variables.push((name.to_owned(), value));
    }

    /// A pipeline's value, after setting its variables.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, ExecError> {
        let value = self.pipeline_value(pipeline, dot)?;
        for name in &pipeline.variables {
            self.set(name, value.clone(), pipeline.declares);
        }
        Ok(value)
    }

    fn pipeline_value(&mut self, pipeline: &Pipeline, dot: &Value) -> Result<Value, ExecError> {
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, dot, value)?);
        }
        Ok(value.unwrap_or(Value::Nil(Nil::Pointer)))
    }

    fn command(
        &mut self,
        command: &Command,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, ExecError> {
        let first = &command.operands[0];
        let arguments = &command.operands[1..];
        match &first.kind {
            OperandKind::Function(name) => self.function(name, command, dot, piped),
            OperandKind::Field(fields) => self.fields(dot, fields, first, arguments, dot, piped),
            OperandKind::Variable(name, fields) => {
                let base = self.variable(name);
                if fields.is_empty() {
                    self.no_arguments(first, arguments, piped.as_ref())?;
                    return Ok(base);
                }
                self.fields(&base, fields, first, arguments, dot, piped)
            }
            OperandKind::Chain(base, fields) => {
                let base = self.operand(base, dot)?;
                self.fields(&base, fields, first, arguments, dot, piped)
            }
            OperandKind::Nil => Err(self.error(first, "nil is not a command")),
            _ => {
                self.no_arguments(first, arguments, piped.as_ref())?;
                self.operand(first, dot)
            }
        }
    }

    fn no_arguments(
        &self,
        first: &Operand,
        arguments: &[Operand],
        piped: Option<&Value>,
    ) -> Result<(), ExecError> {
        if arguments.is_empty() && piped.is_none() {
            return Ok(());
        }
        let message = format!("can't give argument to non-function {first}");
        Err(self.error(first, message))
    }

    fn variable(&self, name: &str) -> Value {
        self.variables
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map_or(Value::Nil(Nil::Pointer), |(_, value)| value.clone())
    }

    fn operand(&mut self, operand: &Operand, dot: &Value) -> Result<Value, ExecError> {
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Nil => Ok(Value::Nil(Nil::Pointer)),
            OperandKind::Constant(value, _) => Ok(value.clone()),
            OperandKind::Field(fields) => self.fields(dot, fields, operand, &[], dot, None),
            OperandKind::Variable(name, fields) => {
                let base = self.variable(name);
                self.fields(&base, fields, operand, &[], dot, None)
            }
            OperandKind::Chain(base, fields) => {
                let base = self.operand(base, dot)?;
                self.fields(&base, fields, operand, &[], dot, None)
            }
            OperandKind::Pipeline(pipeline) => self.pipeline(pipeline, dot),
            OperandKind::Function(name) => {
                let command = Call { operand };
                self.call(name, &command, operand, Vec::new(), None)
            }
        }
    }

    /// Follows `.a.b.c`; arguments go to the last link.
    fn fields(
        &mut self,
        base: &Value,
        fields: &[String],
        at: &Operand,
        arguments: &[Operand],
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, ExecError> {
        let mut value = base.clone();
        for (index, field) in fields.iter().enumerate() {
            let last = index + 1 == fields.len();
            if let Value::Object(object) = &value
                && matches!(object.kind, Kind::Row(_))
                && field == "Label"
            {
                let mut given = Vec::new();
                if last {
                    for argument in arguments {
                        given.push(self.operand(argument, dot)?);
                    }
                    given.extend(piped.clone());
                }
                return self.label(object, at, &given);
            }
            value = self.field(&value, field, at)?;
        }
        let given = arguments.len() + usize::from(piped.is_some());
        if given > 0
            && let Some(name) = fields.last()
        {
            let in_row = matches!(base, Value::Object(o) if matches!(o.kind, Kind::Row(_)));
            let message = if in_row {
                format!("wrong number of args for {name}: want 0 got {given}")
            } else {
                format!("{name} has arguments but cannot be invoked as function")
            };
            return Err(self.error(at, message));
        }
        Ok(value)
    }

    fn label(&self, object: &Object, at: &Operand, given: &[Value]) -> Result<Value, ExecError> {
        let [key] = given else {
            let message = format!("wrong number of args for Label: want 1 got {}", given.len());
            return Err(self.error(at, message));
        };
        let Some(key) = key.as_str() else {
            return Err(self.error(at, format!("expected string; found {key}")));
        };
        if self.functions == Functions::Header {
            return Ok(Value::text(header_of_label(key)));
        }
        let found = object.labels.iter().find(|(name, _)| name == key);
        Ok(Value::text(found.map_or("", |(_, value)| value)))
    }

    fn field(&self, value: &Value, field: &str, at: &Operand) -> Result<Value, ExecError> {
        match value {
            Value::Object(object) => match (object.get(field), object.kind) {
                (Some(found), _) => Ok(found.clone()),
                (None, Kind::Row(name) | Kind::Typed(name)) => {
                    let message = format!("can't evaluate field {field} in type {name}");
                    Err(self.error(at, message))
                }
                (None, Kind::Struct)
                    if let Some(zero) = known::zero(object.origin, field)
                        && (ends_with(at, field) || zero != Value::Nil(Nil::Pointer)) =>
                {
                    Ok(zero)
                }
                (None, _) => {
                    let message = format!("map has no entry for key {}", printf::quote(field));
                    Err(self.error(at, message))
                }
            },
            Value::Nil(_) => {
                let message = format!("nil pointer evaluating interface {{}}.{field}");
                Err(self.error(at, message))
            }
            other => {
                let kind = other.type_name();
                let message = format!("can't evaluate field {field} in type {kind}");
                Err(self.error(at, message))
            }
        }
    }

    fn function(
        &mut self,
        name: &str,
        command: &Command,
        dot: &Value,
        piped: Option<Value>,
    ) -> Result<Value, ExecError> {
        let first = &command.operands[0];
        let operands = &command.operands[1..];
        self.count(name, first, operands.len() + usize::from(piped.is_some()))?;
        // These two stop at the first argument that decides.
        if matches!(name, "and" | "or") {
            let mut value = Value::Nil(Nil::Pointer);
            for operand in operands {
                value = self.operand(operand, dot)?;
                if value.truth() == (name == "or") {
                    return Ok(value);
                }
            }
            return Ok(piped.unwrap_or(value));
        }
        let mut arguments = Vec::new();
        for (index, operand) in operands.iter().enumerate() {
            let value = self.operand(operand, dot)?;
            self.check_type(name, index, &value, operand)?;
            arguments.push(value);
        }
        self.call(name, command, first, arguments, piped)
    }

    fn count(&self, name: &str, at: &Operand, given: usize) -> Result<(), ExecError> {
        let (least, most) = functions::arity(name).unwrap_or((0, None));
        let message = match most {
            Some(most) if given < least || given > most => {
                format!("wrong number of args for {name}: want {least} got {given}")
            }
            None if given < least => {
                format!("wrong number of args for {name}: want at least {least} got {given}")
            }
            _ => return Ok(()),
        };
        Err(self.error(at, message))
    }

    fn check_type(
        &self,
        name: &str,
        index: usize,
        value: &Value,
        at: &Operand,
    ) -> Result<(), ExecError> {
        let wanted = functions::signature(name).as_bytes().get(index);
        let (fits, wanted) = match wanted {
            Some(b's') => (matches!(value, Value::Text(_)), "string"),
            Some(b'i') => (matches!(value, Value::Int(_)), "int"),
            // A header stands in for the list it is the header of.
            Some(b'l') => (
                matches!(value, Value::List(_) | Value::Nil(Nil::List))
                    || self.functions == Functions::Header,
                "[]string",
            ),
            _ => (true, ""),
        };
        if fits {
            return Ok(());
        }
        let message = match at.kind {
            OperandKind::Constant(..) => format!("expected {wanted}; found {at}"),
            _ => {
                let kind = value.type_name();
                format!("wrong type for value; expected {wanted}; got {kind}")
            }
        };
        Err(self.error(at, message))
    }

    fn call(
        &mut self,
        name: &str,
        command: &dyn At,
        at: &Operand,
        mut arguments: Vec<Value>,
        piped: Option<Value>,
    ) -> Result<Value, ExecError> {
        if let Some(value) = piped {
            let index = arguments.len();
            self.check_type(name, index, &value, at)?;
            arguments.push(value);
        }
        self.count(name, at, arguments.len())?;
        functions::call(name, &arguments, self.functions)
            .map_err(|message| self.error(command, format!("error calling {name}: {message}")))
    }
}

/// Docker heads a label's column with the last part of its key.
fn header_of_label(key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    last.replace(['-', '_'], " ")
}

fn ends_with(at: &Operand, field: &str) -> bool {
    match &at.kind {
        OperandKind::Field(fields)
        | OperandKind::Variable(_, fields)
        | OperandKind::Chain(_, fields) => fields.last().is_some_and(|last| last == field),
        _ => false,
    }
}

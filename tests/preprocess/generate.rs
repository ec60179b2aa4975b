//! Random texts of macros and conditionals.

/// Numbers from a seed.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        // Neighbouring seeds have nothing in common.
        let mut state = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        Random((state ^ state >> 31) | 1)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % bound
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// The names of macros, and of things that are none at first.
pub static NAMES: [&str; 10] = ["A", "B", "C", "E", "f", "g", "h", "k", "v", "w"];
static PARAMS: [&str; 3] = ["x", "y", "z"];
static PLAIN: [&str; 24] = [
    "1",
    "2",
    "0x1f",
    "1.5",
    "q",
    "r",
    "+",
    "-",
    "*",
    "<",
    ">",
    "=",
    "\"s\"",
    " 'c'",
    "\"a\\\"b\"",
    ".",
    "->",
    "[",
    "]",
    ":",
    "&",
    "if",
    "\\q",
    "L",
];

/// A macro that was defined: how many parameters it has, and whether the last one takes all that is left.
#[derive(Clone, Copy)]
struct Known {
    name: &'static str,
    params: Option<usize>,
    variadic: bool,
}

struct Generator<'r> {
    random: &'r mut Random,
    known: Vec<Known>,
    out: String,
}

/// One text.
pub fn case(random: &mut Random) -> String {
    let mut generator = Generator { random, known: Vec::new(), out: String::new() };
    for _ in 0..1 + generator.random.below(5) {
        generator.define();
    }
    for _ in 0..1 + generator.random.below(5) {
        match generator.random.below(12) {
            0 => generator.define(),
            1 => {
                let name = generator.random.pick(&NAMES);
                generator.line(&format!("#undef {name}"));
            }
            2 | 3 => generator.conditional(),
            _ => generator.use_line(),
        }
    }
    generator.out.pop();
    generator.out
}

impl Generator<'_> {
    fn line(&mut self, line: &str) {
        self.out += line;
        self.out.push('\n');
    }

    fn space(&mut self) -> &'static str {
        self.random.pick(&[" ", " ", "", "/**/", "  "])
    }

    fn define(&mut self) {
        let name = self.random.pick(&NAMES);
        if self.random.one_in(3) {
            self.known.push(Known { name, params: None, variadic: false });
            let body = self.body(&[], None);
            return self.line(&format!("#define {name} {body}"));
        }
        let count = self.random.below(4);
        let variadic = self.random.one_in(2);
        let named = variadic && self.random.one_in(5);
        let mut params: Vec<&str> = PARAMS[..count].to_vec();
        let rest = if named { "rest" } else { "__VA_ARGS__" };
        let mut list = params.join(", ");
        if variadic {
            list += if list.is_empty() { "" } else { ", " };
            list += if named { "rest..." } else { "..." };
            params.push(rest);
        }
        let body = self.body(&params, variadic.then_some(rest));
        self.known.push(Known { name, params: Some(params.len()), variadic });
        self.line(&format!("#define {name}({list}) {body}"));
    }

    fn body(&mut self, params: &[&str], rest: Option<&str>) -> String {
        let mut body = String::new();
        let length = self.random.below(7);
        for position in 0..length {
            let piece = self.body_piece(params, rest, 0);
            body += &piece;
            let last = position + 1 == length;
            body += match self.random.below(14) {
                0 if !last => self.random.pick(&[" ## ", "##", " ##"]),
                _ => self.space(),
            };
        }
        body
    }

    fn body_piece(&mut self, params: &[&str], rest: Option<&str>, depth: usize) -> String {
        let choice = self.random.below(20);
        match choice {
            0..=5 if !params.is_empty() => self.random.pick(params).to_owned(),
            6 if !params.is_empty() => {
                format!("{}{}", self.random.pick(&["#", "# "]), self.random.pick(params))
            }
            7 | 8 if rest.is_some() && depth == 0 => {
                let mut inside = String::new();
                for _ in 0..self.random.below(4) {
                    inside += &self.body_piece(params, rest, 1);
                    inside += self.space();
                }
                if self.random.one_in(8) && !inside.trim().is_empty() {
                    inside = format!(
                        "{} ## {inside} ## {}",
                        self.random.pick(params),
                        self.random.pick(params)
                    );
                }
                let hash = if self.random.one_in(6) { "#" } else { "" };
                format!("{hash}__VA_OPT__({inside})")
            }
            9 => match rest {
                Some(rest) => format!(", ## {rest}"),
                None => ",".to_owned(),
            },
            10 => "(".to_owned() + &self.body_piece(params, rest, depth) + ")",
            11 if self.random.one_in(8) => self.random.pick(&["(", ")"]).to_owned(),
            12..=14 => self.random.pick(&NAMES).to_owned(),
            15 | 16 => self.invocation(0),
            17 => self.random.pick(&[",", "()", "( )"]).to_owned(),
            _ => self.random.pick(&PLAIN).to_owned(),
        }
    }

    /// A macro with arguments, usually as many as it wants.
    fn invocation(&mut self, depth: usize) -> String {
        let Some(known) = (!self.known.is_empty()).then(|| self.random.below(self.known.len()))
        else {
            return "q".to_owned();
        };
        let Known { name, params, variadic } = self.known[known];
        let Some(params) = params else { return name.to_owned() };
        let mut count = params;
        if variadic {
            count = (params - 1 + self.random.below(3)).max(1);
        }
        if self.random.one_in(150) {
            count += 1;
        }
        let arguments: Vec<String> = (0..count).map(|_| self.argument(depth)).collect();
        let before = self.space();
        format!("{name}{before}({})", arguments.join(self.random.pick(&[",", ", ", " , "])))
    }

    fn argument(&mut self, depth: usize) -> String {
        let mut argument = String::new();
        for _ in 0..self.random.below(4) {
            let piece = match self.random.below(10) {
                0..=2 if depth < 3 => self.invocation(depth + 1),
                3 | 4 => self.random.pick(&NAMES).to_owned(),
                5 => format!("({})", self.random.pick(&PLAIN)),
                _ => self.random.pick(&PLAIN).to_owned(),
            };
            argument += &piece;
            argument += self.space();
        }
        argument
    }

    fn use_line(&mut self) {
        let mut line = String::new();
        for _ in 0..1 + self.random.below(5) {
            let piece = match self.random.below(10) {
                0..=5 => self.invocation(0),
                6 => format!("({})", self.argument(1)),
                7 => self.random.pick(&NAMES).to_owned(),
                8 => self.random.pick(&["__LINE__", "__FILE__", "q"]).to_owned(),
                _ => self.random.pick(&PLAIN).to_owned(),
            };
            line += &piece;
            line += self.space();
        }
        self.line(&(line + ";"));
    }

    fn conditional(&mut self) {
        let name = self.random.pick(&NAMES);
        let condition = match self.random.below(4) {
            0 => format!("#ifdef {name}"),
            1 => format!("#ifndef {name}"),
            _ => format!("#if {}", self.expression(0)),
        };
        self.line(&condition);
        self.part();
        for _ in 0..self.random.below(3) {
            let name = self.random.pick(&NAMES);
            let condition = match self.random.below(4) {
                0 => format!("#elifdef {name}"),
                1 => format!("#elifndef {name}"),
                _ => format!("#elif {}", self.expression(0)),
            };
            self.line(&condition);
            self.part();
        }
        if self.random.one_in(2) {
            self.line("#else");
            self.part();
        }
        self.line("#endif");
    }

    fn part(&mut self) {
        match self.random.below(6) {
            0 => self.define(),
            1 => self.conditional(),
            2 => self.line("#if 0\nit's \"not # closed\n#endif"),
            _ => self.use_line(),
        }
    }

    fn expression(&mut self, depth: usize) -> String {
        static OPERATORS: [&str; 18] = [
            "+", "-", "*", "/", "%", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&", "^", "|",
            "&&", "||",
        ];
        static VALUES: [&str; 15] = [
            "0",
            "1",
            "2",
            "-1",
            "7u",
            "0x7fffffffffffffff",
            "0xffffffffffffffff",
            "1ull",
            "'a'",
            "'\\377'",
            "L'b'",
            "010",
            "q",
            "1'0",
            "0b11",
        ];
        match self.random.below(if depth > 3 { 6 } else { 12 }) {
            0..=3 => self.random.pick(&VALUES).to_owned(),
            4 => format!("defined {}", self.random.pick(&NAMES)),
            5 => format!("defined({})", self.random.pick(&NAMES)),
            6 => format!("{}{}", self.random.pick(&["!", "~", "-", "+"]), self.operand(depth)),
            7 => {
                let (a, b, c) = (self.operand(depth), self.operand(depth), self.operand(depth));
                format!("{a} ? {b} : {c}")
            }
            8 if self.random.one_in(3) => self.invocation(2),
            _ => {
                let (a, b) = (self.operand(depth), self.operand(depth));
                format!("{a} {} {b}", self.random.pick(&OPERATORS))
            }
        }
    }

    fn operand(&mut self, depth: usize) -> String {
        let inside = self.expression(depth + 1);
        if self.random.one_in(2) { format!("({inside})") } else { inside }
    }
}

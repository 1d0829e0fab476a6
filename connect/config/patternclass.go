package config

// class reads a bracket expression; its bracket was read. Java unites what
// stands side by side and intersects at &&, whose right side goes on to the
// end of the class; closing says whether the closing bracket belongs to it.
func (p *patternParser) class(closing, bracket bool) (runeSet, *PatternError) {
	var set runeSet
	some, negated := false, false
	if bracket && p.peek() == '^' {
		p.pos++
		negated = true
	}
	add := func(s runeSet) {
		set = set.union(s)
		some = true
	}
	for {
		switch r := p.peek(); {
		case r == '[':
			p.pos++
			inner, err := p.class(true, true)
			if err != nil {
				return nil, err
			}
			add(inner)
			continue
		case r == '&' && p.at(p.pos+1) == '&':
			p.pos += 2
			right, any, err := p.intersection()
			switch {
			case err != nil:
				return nil, err
			case !some && !any:
				return nil, p.fail("Bad class syntax")
			case !some:
				add(right)
			case any:
				set = set.intersect(right)
			}
			continue
		case r == endOfPattern:
			p.pos = len(p.text)
			return nil, p.fail("Unclosed character class")
		case r == ']' && some:
			if closing {
				p.pos++
			}
			if negated {
				set = set.negate()
			}
			return set, nil
		}
		s, err := p.classRange()
		if err != nil {
			return nil, err
		}
		add(s)
	}
}

// intersection reads the right side of && up to the end of the class or the
// next &&. any is false when there is none.
func (p *patternParser) intersection() (right runeSet, any bool, err *PatternError) {
	for p.peek() != ']' && p.peek() != '&' {
		var s runeSet
		if p.peek() == '[' {
			p.pos++
			if s, err = p.class(true, true); err != nil {
				return nil, false, err
			}
			right = right.union(s)
		} else {
			// Here Java reads the rest of the class and forgets what came before.
			if right, err = p.class(false, false); err != nil {
				return nil, false, err
			}
		}
		any = true
	}
	return right, any, nil
}

// classRange reads a character, an escape or a range.
func (p *patternParser) classRange() (runeSet, *PatternError) {
	first := p.peek()
	if first == '\\' {
		if p.pos+1 == len(p.text) {
			p.pos += 2
			return nil, p.fail("Unclosed character class")
		}
		set, r, err := p.classEscape()
		if err != nil || set != nil {
			return set, err
		}
		first = r
	} else {
		p.pos++
	}
	if next := p.at(p.pos + 1); p.peek() != '-' || next == '[' || next == ']' {
		return p.folded(first, first), nil
	}
	p.pos++
	last := p.peek()
	if last == '\\' {
		if next := p.at(p.pos + 1); next == 'p' || next == 'P' {
			p.pos += 2
			return nil, p.fail("Illegal/unsupported escape sequence")
		}
		set, r, err := p.classEscape()
		if err != nil {
			return nil, err
		}
		if set != nil {
			return nil, p.fail("Illegal character range")
		}
		last = r
	} else {
		p.pos++
	}
	if last < first {
		return nil, p.fail("Illegal character range")
	}
	return p.folded(first, last), nil
}

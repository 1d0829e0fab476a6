package worker

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"kconnect/connect/config"
)

// hiding returns log without what config providers filled in: a plugin may
// write its settings into its messages and errors (Promise 8).
func hiding(log *zap.Logger, filled config.Filled) *zap.Logger {
	if len(filled) == 0 {
		return log
	}
	hide := filled.Hider()
	return log.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return &hidingCore{c, hide} }))
}

type hidingCore struct {
	zapcore.Core
	text func(string) string // config.Filled.Hide
}

func (c *hidingCore) With(fields []zap.Field) zapcore.Core {
	return &hidingCore{c.Core.With(c.hide(fields)), c.text}
}

// Check puts this core, not the one within, among those that write.
func (c *hidingCore) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Core.Check(e, nil) == nil {
		return checked
	}
	return checked.AddCore(e, c)
}

func (c *hidingCore) Write(e zapcore.Entry, fields []zap.Field) error {
	e.Message = c.text(e.Message)
	return c.Core.Write(e, c.hide(fields))
}

func (c *hidingCore) hide(fields []zap.Field) []zap.Field {
	out := make([]zap.Field, 0, len(fields))
	for i := range fields {
		f := &fields[i]
		m := zapcore.NewMapObjectEncoder()
		f.AddTo(m)
		shown, changed := c.within(m.Fields)
		if !changed {
			out = append(out, *f)
			continue
		}
		for k, v := range shown.(map[string]any) { //nolint:errcheck,forcetypeassert // within keeps the type
			out = append(out, zap.Any(k, v))
		}
	}
	return out
}

// within hides in the texts of v, and tells whether there was anything to hide.
func (c *hidingCore) within(v any) (shown any, changed bool) {
	switch v := v.(type) {
	case string:
		text := c.text(v)
		return text, text != v
	case []any:
		out := make([]any, len(v))
		for i := range v {
			s, yes := c.within(v[i])
			out[i], changed = s, changed || yes
		}
		return out, changed
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			s, yes := c.within(v[k])
			out[k], changed = s, changed || yes
		}
		return out, changed
	}
	return v, false
}

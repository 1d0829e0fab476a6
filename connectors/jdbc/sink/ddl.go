package sink

import (
	"context"
	"slices"
	"strings"

	"go.uber.org/zap"

	"kconnect/connect"
	"kconnect/connectors/jdbc/dialect"
)

// ensure makes sure that the table exists and has the columns: it creates and
// extends it as far as auto.create and auto.evolve allow, with Java's
// statements, checks and words (spec jdbc-sink.md, section 5).
func (w *writer) ensure(ctx context.Context, t *table, c *columns) error {
	if t.def == nil {
		if err := w.look(ctx, t, w.s.tableTypes); err != nil {
			return err
		}
	}
	if t.def == nil {
		if err := w.create(ctx, t, c); err != nil {
			return err
		}
	}
	return w.amend(ctx, t, c)
}

// look reads the table's definition, of the kinds that count; nil counts all.
func (w *writer) look(ctx context.Context, t *table, kinds []string) error {
	t.def, t.unique = nil, nil
	def, found, err := w.target.Table(ctx, w.conn, t.id) // D6: of exactly this name
	if err != nil {
		return w.fail(err, t, nil)
	}
	if !found || kinds != nil && !slices.Contains(kinds, def.Kind) {
		return nil
	}
	if w.s.mode == modeUpsert {
		if t.unique, err = w.target.UniqueKeys(ctx, w.conn, def); err != nil {
			return w.fail(err, t, nil)
		}
	}
	t.def = def
	return nil
}

func (w *writer) create(ctx context.Context, t *table, c *columns) error {
	if !w.s.autoCreate {
		return tableError("Table "+t.id.Text()+" is missing and auto-creation is disabled", "create the table, set auto.create=true, or correct table.name.format")
	}
	text, err := dialect.CreateTable(w.target, t.id, newColumns(c.ddl), w.s.bind)
	if err != nil {
		return err
	}
	failed := w.execDDL(ctx, t, text)
	if failed != nil && w.class(failed).Surroundings() {
		return failed
	}
	// Another task may have been faster, and a relation of a kind that does not
	// count serves as well (golden jdbc-sink/view-as-target-default).
	if err := w.look(ctx, t, nil); err != nil {
		return err
	}
	if t.def == nil {
		return failed
	}
	return nil
}

// amend adds the columns that the table lacks. When ALTER fails, another task
// may have added them: it looks again, max.retries times.
func (w *writer) amend(ctx context.Context, t *table, c *columns) error {
	for left := w.s.maxRetries; ; left-- {
		missing := missingFields(t.def, c.ddl)
		if len(missing) == 0 {
			return nil
		}
		if err := w.mayAmend(t, missing); err != nil {
			return err
		}
		texts, err := w.target.AddColumns(t.id, newColumns(missing), w.s.bind)
		if err != nil {
			return err
		}
		for _, text := range texts {
			if err = w.execDDL(ctx, t, text); err != nil {
				break
			}
		}
		if err != nil {
			if w.class(err).Surroundings() {
				return err
			}
			if left <= 0 {
				e := tableError("Failed to amend TABLE '"+t.id.Text()+"' to add missing fields: "+fieldList(missing), "")
				e.Cause = err
				return e
			}
		}
		if err := w.look(ctx, t, nil); err != nil {
			return err
		}
		if t.def == nil {
			return tableError("Table "+t.id.Text()+" is missing and auto-creation is disabled", "somebody dropped the table meanwhile; restart the task")
		}
	}
}

func (w *writer) mayAmend(t *table, missing []field) error {
	list := fieldList(missing)
	if t.def.Kind == "VIEW" {
		return tableError("View "+t.id.Text()+" is missing fields ("+list+") and ALTER VIEW is unsupported",
			"define the view with these columns, or leave the fields out by fields.whitelist")
	}
	for i := range missing {
		f := &missing[i]
		if v, ok := f.schema.Default(); !f.optional() && (!ok || v.IsNull()) {
			return tableError("Cannot ALTER TABLE "+t.id.Text()+" to add missing field "+f.String()+", as the field is not optional and does not have a default value",
				"add the column by hand, or give the field a default in the schema")
		}
	}
	if !w.s.autoEvolve {
		return tableError("Table "+t.id.Text()+" is missing fields ("+list+") and auto-evolution is disabled",
			"add the columns, set auto.evolve=true, or leave the fields out by fields.whitelist")
	}
	return nil
}

// execDDL runs one statement. Where DDL does not end a transaction it is part
// of the delivery's (D5); where it does, no row has been written yet.
func (w *writer) execDDL(ctx context.Context, t *table, text string) error {
	if w.target.DDLCommits() {
		w.tx = transaction{}
	} else {
		if err := w.begin(ctx); err != nil {
			return err
		}
		w.tx.ddl = true
	}
	w.log.Info("changing the database", zap.String("statement", text))
	run := func() error {
		if _, err := w.conn.Exec(ctx, text); err != nil {
			return w.fail(err, t, nil)
		}
		return nil
	}
	if w.target.DDLCommits() {
		return run()
	}
	return w.guarded(ctx, run)
}

func missingFields(def *dialect.Table, fields []field) []field {
	var missing []field
	for _, f := range fields {
		if _, ok := def.Column(f.name); !ok {
			missing = append(missing, f)
		}
	}
	return missing
}

func newColumns(fields []field) []dialect.NewColumn {
	columns := make([]dialect.NewColumn, len(fields))
	for i := range fields {
		f := &fields[i]
		columns[i] = dialect.NewColumn{Name: f.name, Schema: f.schema, Key: f.key, Optional: f.optional()}
	}
	return columns
}

func fieldList(fields []field) string {
	texts := make([]string, len(fields))
	for i := range fields {
		texts[i] = fields[i].String()
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// tableError is the error of a table that is not as it has to be.
func tableError(message, remedy string) *connect.Error {
	return &connect.Error{Class: connect.ClassTableAlterOrCreate, Message: message, Remedy: remedy}
}

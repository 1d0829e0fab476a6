package dialect

import (
	"kconnect/connect/data"
)

// ColumnType implements Target (spec jdbc-sink.md, section 5).
func (d *postgreSQL) ColumnType(c NewColumn, o BindOptions) (string, error) {
	if o.timestampField(c.Name, c.Schema) {
		return "TIMESTAMP", nil
	}
	if typ := postgresType(c.Schema); typ != "" {
		return typ, nil
	}
	return "", noType(d, c.Schema)
}

// postgresType returns the column type of a schema, and nothing when there is none.
func postgresType(s *data.Schema) string {
	switch s.Name() {
	case data.DecimalName:
		return "DECIMAL"
	case data.DateName:
		return "DATE"
	case data.TimeName:
		return "TIME"
	case data.TimestampName:
		return "TIMESTAMP"
	}
	switch s.Type() {
	case data.Int8, data.Int16:
		return "SMALLINT"
	case data.Int32:
		return "INT"
	case data.Int64:
		return "BIGINT"
	case data.Float32:
		return "REAL"
	case data.Float64:
		return "DOUBLE PRECISION"
	case data.Boolean:
		return "BOOLEAN"
	case data.String:
		return "TEXT"
	case data.Bytes:
		return "BYTEA"
	case data.Array:
		if element := postgresType(s.Elem()); element != "" {
			return element + "[]"
		}
	case data.MapType, data.StructType:
	}
	return ""
}

// AddColumns implements Target.
func (d *postgreSQL) AddColumns(id TableID, columns []NewColumn, o BindOptions) ([]string, error) {
	return addTogether(d, id, columns, o)
}

// DDLCommits implements Target.
func (d *postgreSQL) DDLCommits() bool { return false }

package file

import (
	"context"
	"os"

	"kconnect/connect"
	"kconnect/connect/config"
	"kconnect/connect/data"
)

// version is that of the Apache Kafka classes which these stand for.
const version = "4.2.0"

// The names in the source's partitions and offsets.
const (
	filenameField = "filename"
	positionField = "position"
)

var sourceDef = config.NewDef(
	config.Key{Name: "file", Type: config.String, Importance: config.High, Doc: "The file to read. Without it the standard input is read."},
	config.Key{Name: "topic", Type: config.String, Required: true, Importance: config.High, Validate: config.NonEmpty(), Doc: "The topic that lines go to."},
	config.Key{Name: "batch.size", Type: config.Int, Default: config.Default("2000"), Importance: config.Low, Doc: "The most lines that are read at once."},
)

var sinkDef = config.NewDef(
	config.Key{Name: "file", Type: config.String, Importance: config.High, Doc: "The file to append to. Without it the standard output is written."},
)

// Plugins returns the two connectors.
func Plugins() []connect.Plugin {
	const prefix = "org.apache.kafka.connect.file.FileStream"
	stdin := newInput(os.Stdin)
	return []connect.Plugin{
		{Class: prefix + "SourceConnector", TaskClass: prefix + "SourceTask", Kind: connect.SourcePlugin, Version: version, Def: sourceDef,
			New: func() any { return new(SourceConnector) }, NewTask: func() any { return &SourceTask{stdin: stdin} }},
		{Class: prefix + "SinkConnector", TaskClass: prefix + "SinkTask", Kind: connect.SinkPlugin, Version: version, Def: sinkDef,
			New: func() any { return new(SinkConnector) }, NewTask: func() any { return new(SinkTask) }},
	}
}

// SourceConnector plans one task, because one file is read in order.
type SourceConnector struct{ config config.Map }

var (
	_ connect.Connector     = (*SourceConnector)(nil)
	_ connect.OffsetAlterer = (*SourceConnector)(nil)
)

// Start implements connect.Connector.
func (c *SourceConnector) Start(_ context.Context, env *connect.ConnectorEnv) error {
	c.config = env.Config
	_, err := sourceDef.Parse(env.Config)
	return err
}

// TaskConfigs implements connect.Connector.
func (c *SourceConnector) TaskConfigs(context.Context, int) ([]config.Map, error) {
	return []config.Map{c.config.Clone()}, nil
}

// Stop implements connect.Connector.
func (c *SourceConnector) Stop(context.Context) error { return nil }

// AlterOffsets implements connect.OffsetAlterer with the checks and words of
// the Java connector (golden rest 12-offsets-source). A reset is allowed for
// any partition, so that users get rid of garbage.
func (c *SourceConnector) AlterOffsets(m config.Map, changes []connect.OffsetChange) (bool, error) {
	veto := func(message string) (bool, error) { return false, connect.NewError(message, nil) }
	if m["file"] == "" {
		return veto("Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked.")
	}
	for _, change := range changes {
		if change.Offset.Names == nil {
			continue
		}
		position, ok := entry(change.Offset, positionField)
		switch {
		case !ok:
			return veto("Offset objects should either be null or contain the key '" + positionField + "'")
		case position.Kind() != data.KindInt64:
			return veto("The value for the '" + positionField + "' key in the offset is expected to be a Long value")
		case position.Int() < 0:
			return veto("The value for the '" + positionField + "' key in the offset should be a non-negative value")
		case change.Partition.Fields == nil:
			return veto("Partition objects cannot be null")
		case !names(change.Partition, filenameField):
			return veto("Partition objects should contain the key '" + filenameField + "'")
		}
	}
	return true, nil
}

// entry returns the value under a name, which may be null, and whether it is there.
func entry(o connect.SourceOffset, name string) (data.Value, bool) {
	for i, n := range o.Names {
		if n == name {
			return o.Values[i], true
		}
	}
	return data.Null, false
}

// names reports whether a partition has a field.
func names(p connect.SourcePartition, field string) bool {
	for _, f := range p.Fields {
		if f.Name == field {
			return true
		}
	}
	return false
}

// SinkConnector gives every task the same file.
type SinkConnector struct{ config config.Map }

var (
	_ connect.Connector     = (*SinkConnector)(nil)
	_ connect.OffsetAlterer = (*SinkConnector)(nil)
)

// Start implements connect.Connector.
func (c *SinkConnector) Start(_ context.Context, env *connect.ConnectorEnv) error {
	c.config = env.Config
	_, err := sinkDef.Parse(env.Config)
	return err
}

// TaskConfigs implements connect.Connector.
func (c *SinkConnector) TaskConfigs(_ context.Context, maxTasks int) ([]config.Map, error) {
	configs := make([]config.Map, maxTasks)
	for i := range configs {
		configs[i] = c.config.Clone()
	}
	return configs, nil
}

// Stop implements connect.Connector.
func (c *SinkConnector) Stop(context.Context) error { return nil }

// AlterOffsets implements connect.OffsetAlterer: nothing but the consumer
// group's offsets has to be moved.
func (c *SinkConnector) AlterOffsets(config.Map, []connect.OffsetChange) (bool, error) {
	return true, nil
}

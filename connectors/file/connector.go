package file

import (
	"context"
	"errors"

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
	return []connect.Plugin{
		{Class: prefix + "SourceConnector", TaskClass: prefix + "SourceTask", Kind: connect.SourcePlugin, Version: version, Def: sourceDef,
			New: func() any { return &SourceConnector{} }, NewTask: func() any { return &SourceTask{} }},
		{Class: prefix + "SinkConnector", TaskClass: prefix + "SinkTask", Kind: connect.SinkPlugin, Version: version, Def: sinkDef,
			New: func() any { return &SinkConnector{} }, NewTask: func() any { return &SinkTask{} }},
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
// the Java connector (golden rest 12-offsets-source).
func (c *SourceConnector) AlterOffsets(m config.Map, changes []connect.OffsetChange) (bool, error) {
	if m["file"] == "" {
		return false, errors.New("Offsets cannot be modified if the '" + "file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked.") //nolint:staticcheck // a sentence for users
	}
	for _, change := range changes {
		if len(change.Offset.Names) > 0 {
			p := change.Offset.Get(positionField)
			switch {
			case p.IsNull():
				return false, errors.New("Offset objects should either be null or contain the key '" + positionField + "'")
			case p.Kind() != data.KindInt64:
				return false, errors.New("The value for the '" + positionField + "' key in the offset is expected to be a Long value") //nolint:staticcheck // likewise
			case p.Int() < 0:
				return false, errors.New("The value for the '" + positionField + "' key in the offset should be a non-negative value") //nolint:staticcheck // likewise
			}
		}
		if len(change.Partition.Fields) == 0 {
			return false, errors.New("Partition objects cannot be null") //nolint:staticcheck // likewise
		}
		named := false
		for _, f := range change.Partition.Fields {
			named = named || f.Name == filenameField
		}
		if !named {
			return false, errors.New("Partition objects should contain the key '" + filenameField + "'") //nolint:staticcheck // likewise
		}
	}
	return true, nil
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
	return nil
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

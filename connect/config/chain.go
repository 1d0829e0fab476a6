package config

// TransformDef returns the keys that set up the transformation named alias in
// a connector's configuration: its class, its version and, sorted among its
// own keys, the predicate it depends on. own are the keys of its class, nil
// when that is not known; version is the class's version, empty for none. The
// caller adds Resolve and Recommend to "transforms.<alias>.type" with Edit.
func TransformDef(alias, version string, own *Def) *Def {
	if own != nil {
		own = own.Merge(NewDef(
			Key{Name: "predicate", Type: String, Importance: Medium,
				Doc: "The alias of a predicate. The transformation applies only to records for which it holds."},
			Key{Name: "negate", Type: Boolean, Default: Default("false"), Importance: Medium,
				Doc: "Whether the transformation applies only to records for which the predicate does not hold."},
		))
	}
	return pluginDef("transforms."+alias+".", "Transforms: "+alias, "Transformation", "transformation", alias, version, own)
}

// PredicateDef is TransformDef for the predicate named alias.
func PredicateDef(alias, version string, own *Def) *Def {
	return pluginDef("predicates."+alias+".", "Predicates: "+alias, "Predicate", "predicate", alias, version, own)
}

func pluginDef(prefix, group, display, kind, alias, version string, own *Def) *Def {
	var installed *string
	if version != "" {
		installed = Default(version)
	}
	head := NewDef(
		Key{Name: prefix + "type", Type: Class, Required: true, Importance: High, Group: group, Order: 0, Width: LongWidth,
			Display: display + " type for " + alias, Doc: "The class of the " + kind + " " + alias + "."},
		Key{Name: prefix + "plugin.version", Type: String, Default: installed, Importance: High, Group: group, Order: 1, Width: LongWidth,
			Display: display + " version for " + alias, Doc: "The version of that class, where several are installed."},
	)
	if own == nil {
		return head
	}
	return head.Merge(own.Embedded(prefix, group, 2))
}

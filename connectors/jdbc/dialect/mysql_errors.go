package dialect

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"regexp"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// Remedies that several codes of the server share.
const (
	remedyServer    = "see that the database runs and that connection.url reaches it; the task goes on as soon as it answers"
	remedyKilled    = "somebody or a time limit ended the connection or statement; the task tries again"
	remedyTooMany   = "raise the limit of the server (max_connections, max_user_connections, or the user's own) or run fewer tasks"
	remedyLock      = "the task tries again; find who holds the lock in SHOW ENGINE INNODB STATUS or SHOW PROCESSLIST"
	remedyReadOnly  = "the task goes on when the server takes writes again; after a fail-over let connection.url name the new primary"
	remedyRoom      = "make room on the disk of the server, or raise the quota; the task goes on by itself"
	remedyMemory    = "give the server more memory, threads or open files, or less to do; the task goes on by itself"
	remedyChanged   = "the table or row changed meanwhile; the task tries again"
	remedyPassword  = "correct connection.user and connection.password"
	remedyAccount   = "unlock the account or renew its password on the server"
	remedyGrant     = "give the user of connection.user the privilege that is named"
	remedyTLS       = "set sslMode in connection.url, for example sslMode=verify-full"
	remedyColumn    = "add the column, set auto.evolve=true, or leave the field out by fields.whitelist"
	remedyDatabase  = "create the database, or correct connection.url and table.name.format"
	remedyRange     = "make the column wider, or correct the value"
	remedyLonger    = "make the column longer, such as VARCHAR(n), MEDIUMTEXT or LONGBLOB, or shorten the value"
	remedyCharset   = "make the character set of the column utf8mb4, or correct the value"
	remedyValue     = "correct the value, or make the column a type that holds it"
	remedyDefault   = "give the column a default in the table, or let the record have the field"
	remedyPacket    = "raise max_allowed_packet of the server, or send smaller values"
	remedyRowSize   = "use fewer or shorter columns; create the table by hand with TEXT or BLOB columns"
	remedyPartition = "add a partition for the value, or correct the value"
	remedyView      = "write to a table, or to a view of one table that holds all its required columns"
	remedyTrigger   = "correct the record, or the trigger that refuses it"
	remedyRepair    = "repair the table (REPAIR TABLE, or restore it) and restart the task"
	remedyReserved  = "look at the text after near: a name with a dot must stand in quotes in table.name.format, and quote.sql.identifiers=always protects reserved words"
	remedyByHand    = "create or extend the table by hand"
	remedyNameRules = "choose another name by table.name.format, or rename the field by the transformation ReplaceField"
	remedyBinlog    = "raise max_binlog_cache_size and max_binlog_stmt_cache_size of the server, or lower consumer.override.max.poll.records"
	remedyJSON      = "correct the value, or make the column TEXT"
	remedyGenerated = "leave the field out by fields.whitelist: the server works the column out"
	remedyGeometry  = "leave the field out by fields.whitelist: only a statement with a function can fill such a column"
	remedyLocal     = "set local_infile=ON on the server, or take kconnect.mariadb.load.data out of the configuration"
)

// mysqlFaults has the vendor codes of MariaDB and MySQL that a source or sink
// can meet. Codes that are not here go by their SQLSTATE.
var mysqlFaults = map[uint16]fault{
	// Cut off, or not let in for now.
	1042: {Connection, remedyServer}, 1043: {Connection, remedyServer}, 1047: {Connection, remedyServer}, // host, handshake, Galera node not ready
	1053: {Connection, remedyServer}, 1077: {Connection, remedyServer}, 1078: {Connection, remedyServer}, // shutdown
	1079: {Connection, remedyServer}, 1080: {Connection, remedyKilled},
	1129: {Connection, "the server counts too many broken connections of this host: run FLUSH HOSTS there"},
	1152: {Connection, remedyServer}, 1154: {Connection, remedyServer}, 1155: {Connection, remedyServer}, // network
	1156: {Connection, remedyServer}, 1157: {Connection, remedyServer}, 1158: {Connection, remedyServer},
	1159: {Connection, remedyServer}, 1160: {Connection, remedyServer}, 1161: {Connection, remedyServer},
	1184: {Connection, remedyServer}, 1189: {Connection, remedyServer}, 1190: {Connection, remedyServer},
	1835: {Connection, remedyServer}, 3032: {Connection, remedyServer}, 3168: {Connection, remedyServer}, // offline mode, not available
	3169: {Connection, remedyKilled},
	1927: {Connection, remedyKilled}, 4031: {Connection, remedyKilled}, // killed, idle too long
	1040: {Transient, remedyTooMany}, 1203: {Transient, remedyTooMany}, 1226: {Transient, remedyTooMany}, 1461: {Transient, "raise max_prepared_stmt_count of the server"},

	// Refuses for now.
	1205: {Transient, remedyLock}, 1206: {Transient, remedyLock}, 1213: {Transient, remedyLock}, 1223: {Transient, remedyLock},
	1015: {Transient, remedyLock}, 1027: {Transient, remedyLock}, 1099: {Transient, remedyLock}, 1150: {Transient, remedyLock},
	1165: {Transient, remedyLock}, 1614: {Transient, remedyLock}, 1689: {Transient, remedyLock}, 3058: {Transient, remedyLock}, 3572: {Transient, remedyLock},
	3100: {Transient, remedyLock}, 3101: {Transient, remedyLock}, // the group of servers rolled back
	1036: {Transient, remedyReadOnly}, 1792: {Transient, remedyReadOnly}, 1836: {Transient, remedyReadOnly}, 1874: {Transient, remedyReadOnly},
	1021: {Transient, remedyRoom}, 1026: {Transient, remedyRoom}, 1114: {Transient, remedyRoom}, 1180: {Transient, remedyRoom},
	1534: {Transient, remedyRoom}, 3: {Transient, remedyRoom}, 14: {Transient, remedyRoom},
	1024: {Transient, remedyMemory}, 1037: {Transient, remedyMemory}, 1038: {Transient, remedyMemory}, 1041: {Transient, remedyMemory},
	1135: {Transient, remedyMemory}, 1257: {Transient, remedyMemory}, 1637: {Transient, remedyMemory}, 1998: {Transient, remedyMemory},
	1317: {Transient, remedyKilled}, 1969: {Transient, remedyKilled}, 3024: {Transient, remedyKilled}, // interrupted, time limit
	1020: {Transient, remedyChanged}, 1412: {Transient, remedyChanged}, 1615: {Transient, remedyChanged},

	// Not there.
	1049: {Missing, remedyDatabase}, 1051: {Missing, ""}, 1054: {Missing, remedyColumn}, 1109: {Missing, ""},
	1146: {Missing, "create the table, or set auto.create=true"}, 1932: {Missing, remedyRepair},
	1356: {Missing, "make the view anew: a table or column that it reads is gone, or its definer has lost a privilege"},

	// Not allowed.
	1044: {Permission, "give the user the privilege on this database"}, 1045: {Permission, remedyPassword}, 1698: {Permission, remedyPassword}, 1873: {Permission, remedyPassword},
	1130: {Permission, "let the server accept this host: CREATE USER 'user'@'host'"}, 1131: {Permission, remedyGrant}, 1132: {Permission, remedyGrant},
	1133: {Permission, remedyGrant}, 1141: {Permission, remedyGrant}, 1142: {Permission, "give the user the privilege on this table"},
	1143: {Permission, "give the user the privilege on this column"}, 1147: {Permission, remedyGrant}, 1227: {Permission, remedyGrant},
	1251: {Permission, remedyAccount}, 1275: {Permission, remedyAccount}, 1370: {Permission, remedyGrant}, 1419: {Permission, remedyGrant}, 1524: {Permission, remedyAccount},
	1820: {Permission, remedyAccount}, 1862: {Permission, remedyAccount}, 3118: {Permission, remedyAccount}, 4151: {Permission, remedyAccount},
	3159: {Permission, remedyTLS}, 1148: {Permission, remedyLocal}, 3948: {Permission, remedyLocal}, 4166: {Permission, remedyLocal},

	// Of one row.
	1022: {Data, remedyDuplicate}, 1062: {Data, remedyDuplicate}, 1169: {Data, remedyDuplicate}, 1586: {Data, remedyDuplicate}, 1859: {Data, remedyDuplicate},
	1761: {Data, remedyDuplicate}, 1762: {Data, remedyDuplicate},
	1048: {Data, remedyNull}, 1138: {Data, remedyNull}, 1263: {Data, remedyNull}, 1364: {Data, remedyDefault}, 1423: {Data, remedyDefault},
	1264: {Data, remedyRange}, 1367: {Data, remedyRange}, 1416: {Data, remedyGeometry}, 1441: {Data, remedyValue}, 1690: {Data, remedyRange}, 1916: {Data, remedyRange}, 1917: {Data, remedyRange},
	1406: {Data, remedyLonger}, 1742: {Data, remedyLonger}, 1118: {Data, remedyRowSize}, 1153: {Data, remedyPacket}, 1162: {Data, remedyPacket}, 1301: {Data, remedyPacket},
	1265: {Data, "make the column hold such values, or correct the value"}, 1292: {Data, remedyValue}, 1299: {Data, remedyValue}, 1411: {Data, remedyValue}, 1918: {Data, remedyValue},
	1300: {Data, remedyCharset}, 1366: {Data, "correct the value; for letters that the column does not know make its character set utf8mb4"}, 1977: {Data, remedyCharset},
	1365: {Data, "correct the value: a generated column, a CHECK constraint or a trigger divides by zero"},
	1369: {Data, "correct the record: the view has WITH CHECK OPTION and would not show the row"},
	1216: {Data, remedyForeignKey}, 1452: {Data, remedyForeignKey}, 1217: {Data, remedyReferred}, 1451: {Data, remedyReferred},
	1526: {Data, remedyPartition}, 1748: {Data, remedyPartition}, 1591: {Data, remedyPartition}, 1644: {Data, remedyTrigger}, 1442: {Data, remedyTrigger},
	3819: {Data, remedyCheck}, 4025: {Data, remedyCheck}, 4161: {Data, remedyValue},
	3140: {Data, remedyJSON}, 3141: {Data, remedyJSON}, 3144: {Data, remedyJSON}, 3156: {Data, remedyJSON}, 3157: {Data, remedyJSON},
	1906: {Data, remedyGenerated}, 3105: {Data, remedyGenerated},

	// Not understood, or refused for what the statement is.
	1064: {Syntax, remedyReserved}, 1149: {Syntax, remedyReserved}, 1103: {Syntax, remedyNameRules}, 1059: {Syntax, remedyNameRules}, 1166: {Syntax, remedyNameRules},
	1050: {Permanent, "another task or a person makes the same table; the task looks again"},
	1060: {Permanent, "another task or a person adds the same column; the task looks again"},
	1067: {Permanent, "take the default out of the schema, or create the table by hand"},
	1071: {Permanent, "create the table by hand with shorter key columns"},
	1075: {Permanent, "make the column of the table's auto_increment part of its key"},
	1101: {Permanent, "the server allows no default for TEXT: take the default out of the schema, or create the table by hand"},
	1170: {Permanent, "create the table by hand with a key column of a fixed length, such as VARCHAR(255)"},
	1117: {Permanent, "leave fields out by fields.whitelist"}, 1197: {Permanent, remedyBinlog}, 1705: {Permanent, remedyBinlog}, 1390: {Permanent, "leave fields out by fields.whitelist"},
	1286: {Permanent, remedyByHand}, 1425: {Permanent, remedyByHand}, 1426: {Permanent, remedyByHand}, 1427: {Permanent, remedyByHand},
	1288: {Permanent, remedyView}, 1348: {Permanent, remedyView}, 1393: {Permanent, remedyView}, 1394: {Permanent, remedyView}, 1395: {Permanent, remedyView}, 1471: {Permanent, remedyView},
	1194: {Permanent, remedyRepair}, 1195: {Permanent, remedyRepair}, 1877: {Permanent, remedyRepair}, 1812: {Permanent, remedyRepair}, 1814: {Permanent, remedyRepair},
}

// mysqlErrno finds the number that the operating system or the storage engine
// gave, such as (errno: 28 "No space left on device") or Got error 28.
var mysqlErrno = regexp.MustCompile(`(?:errno: |Got error )"?(\d+)`)

// faultOf looks an error of the server up. Some codes hold several faults,
// which their text tells apart.
func (d *mySQL) faultOf(e *mysql.MySQLError) (fault, bool) {
	switch e.Number {
	case 1004, 1005, 1016, 1025, 1030:
		m := mysqlErrno.FindStringSubmatch(e.Message)
		if m == nil {
			break
		}
		switch m[1] {
		case "28", "27", "122", "135", "136": // no space, file too large, quota, file full
			return fault{Transient, remedyRoom}, true
		case "5", "11", "12", "23", "24": // I/O, memory, open files
			return fault{Transient, remedyMemory}, true
		case "30", "165": // read-only
			return fault{Transient, remedyReadOnly}, true
		case "139": // the engine's own
			return fault{Data, remedyRowSize}, true
		}
		return fault{Permanent, remedyByHand}, true
	case 1105: // an unknown error
		if strings.Contains(e.Message, "mysql_send_long_data") {
			return fault{Data, remedyPacket}, true
		}
	case 1290: // "running with the X option"
		if strings.Contains(e.Message, "read-only") || strings.Contains(e.Message, "read_only") {
			return fault{Transient, remedyReadOnly}, true
		}
		return fault{Permission, remedyGrant}, true
	}
	f, ok := mysqlFaults[e.Number]
	return f, ok
}

// Classify says what kind of fault an error is.
func (d *mySQL) Classify(err error) Class {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		if f, ok := d.faultOf(e); ok {
			return f.class
		}
		return classOfState(string(e.SQLState[:]))
	}
	switch {
	case errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, mysql.ErrPktSync), errors.Is(err, mysql.ErrPktSyncMul),
		errors.Is(err, mysql.ErrMalformPkt), errors.Is(err, mysql.ErrBusyBuffer):
		return Connection
	case errors.Is(err, mysql.ErrPktTooLarge):
		return Data
	case errors.Is(err, mysql.ErrNoTLS), errors.Is(err, mysql.ErrUnknownPlugin), errors.Is(err, mysql.ErrOldPassword),
		errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrNativePassword):
		return Permission
	}
	return classOfNetwork(err)
}

// Remedy implements Target.
func (d *mySQL) Remedy(err error) string {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		if f, ok := d.faultOf(e); ok && f.remedy != "" {
			return f.remedy
		}
	}
	switch {
	case errors.Is(err, mysql.ErrPktTooLarge):
		return remedyPacket
	case errors.Is(err, mysql.ErrNoTLS):
		return "the server has no TLS: take sslMode or useSSL out of connection.url"
	}
	return classRemedies[d.Classify(err)]
}

// classOfState goes by the class of an SQLSTATE, its first two characters.
func classOfState(state string) Class {
	if len(state) != 5 {
		return Permanent
	}
	switch state[:2] {
	case "08":
		return Connection
	case "22", "23", "44", "45": // value, constraint, view's check option, a trigger's own
		return Data
	case "28":
		return Permission
	case "25", "40", "53", "57", "70": // read-only, rolled back, resources, operator, interrupted
		return Transient
	case "42":
		return Syntax
	}
	return Permanent
}

// classOfNetwork recognises the errors of a connection that is gone.
func classOfNetwork(err error) Class {
	var n net.Error
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, net.ErrClosed), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE),
		errors.As(err, &n):
		return Connection
	}
	if strings.Contains(err.Error(), "bad connection") { // the driver keeps this error to itself
		return Connection
	}
	return Permanent
}

// The other kinds of database object, and the statements that work on an object of any kind. Field names
// follow PostgreSQL's raw parse nodes. Everything lives in the arena of its ParseTree; see ast_node.h for
// ownership.
#pragma once

#include "node/sql/parser/ast_node.h"

namespace walden::ast {

struct CollateClause;
struct FuncCall;
struct RangeVar;
struct RoleSpec;
struct String;
struct TypeName;
struct VariableSetStmt;

struct CreateSchemaStmt : NodeOf<Tag::kCreateSchemaStmt> {
  std::string_view schemaname;
  RoleSpec* authrole = nullptr;
  NodeList schema_elts;  // statements
  bool if_not_exists = false;
  FIELDS(schemaname, authrole, schema_elts, if_not_exists)
};

struct CreatedbStmt : NodeOf<Tag::kCreatedbStmt> {
  std::string_view dbname;
  NodeList options;  // DefElem
  FIELDS(dbname, options)
};

struct AlterDatabaseStmt : NodeOf<Tag::kAlterDatabaseStmt> {
  std::string_view dbname;
  NodeList options;  // DefElem
  FIELDS(dbname, options)
};

struct AlterDatabaseRefreshCollStmt : NodeOf<Tag::kAlterDatabaseRefreshCollStmt> {
  std::string_view dbname;
  FIELDS(dbname)
};

struct AlterDatabaseSetStmt : NodeOf<Tag::kAlterDatabaseSetStmt> {
  std::string_view dbname;
  VariableSetStmt* setstmt = nullptr;
  FIELDS(dbname, setstmt)
};

struct DropdbStmt : NodeOf<Tag::kDropdbStmt> {
  std::string_view dbname;
  bool missing_ok = false;
  NodeList options;  // DefElem
  FIELDS(dbname, missing_ok, options)
};

struct CreateTableSpaceStmt : NodeOf<Tag::kCreateTableSpaceStmt> {
  std::string_view tablespacename;
  RoleSpec* owner = nullptr;
  std::string_view location;
  NodeList options;  // DefElem
  FIELDS(tablespacename, owner, location, options)
};

struct DropTableSpaceStmt : NodeOf<Tag::kDropTableSpaceStmt> {
  std::string_view tablespacename;
  bool missing_ok = false;
  FIELDS(tablespacename, missing_ok)
};

struct AlterTableSpaceOptionsStmt : NodeOf<Tag::kAlterTableSpaceOptionsStmt> {
  std::string_view tablespacename;
  NodeList options;  // DefElem
  bool is_reset = false;
  FIELDS(tablespacename, options, is_reset)
};

// DROP of most kinds; each object is a ListNode of String, a TypeName or an ObjectWithArgs, as remove_type
// says.
struct DropStmt : NodeOf<Tag::kDropStmt> {
  NodeList objects;
  ObjectType remove_type = ObjectType::kAccessMethod;
  DropBehavior behavior = DropBehavior::kRestrict;
  bool missing_ok = false;
  bool concurrent = false;
  FIELDS(objects, remove_type, behavior, missing_ok, concurrent)
};

// Function or operator with its argument types.
struct ObjectWithArgs : NodeOf<Tag::kObjectWithArgs> {
  NodeList objname;      // String
  NodeList objargs;      // TypeName, null for NONE
  NodeList objfuncargs;  // FunctionParameter
  bool args_unspecified = false;
  FIELDS(objname, objargs, objfuncargs, args_unspecified)
};

struct RenameStmt : NodeOf<Tag::kRenameStmt> {
  ObjectType rename_type = ObjectType::kAccessMethod;
  ObjectType relation_type = ObjectType::kAccessMethod;
  RangeVar* relation = nullptr;
  Node* object = nullptr;
  std::string_view subname;
  std::string_view newname;
  DropBehavior behavior = DropBehavior::kRestrict;
  bool missing_ok = false;
  FIELDS(rename_type, relation_type, relation, object, subname, newname, behavior, missing_ok)
};

// comment is null for IS NULL.
struct CommentStmt : NodeOf<Tag::kCommentStmt> {
  ObjectType objtype = ObjectType::kAccessMethod;
  Node* object = nullptr;
  std::string_view comment;
  FIELDS(objtype, object, comment)
};

struct SecLabelStmt : NodeOf<Tag::kSecLabelStmt> {
  ObjectType objtype = ObjectType::kAccessMethod;
  Node* object = nullptr;
  std::string_view provider;
  std::string_view label;
  FIELDS(objtype, object, provider, label)
};

struct AlterObjectDependsStmt : NodeOf<Tag::kAlterObjectDependsStmt> {
  ObjectType object_type = ObjectType::kAccessMethod;
  RangeVar* relation = nullptr;
  Node* object = nullptr;
  String* extname = nullptr;
  bool remove = false;
  FIELDS(object_type, relation, object, extname, remove)
};

struct AlterObjectSchemaStmt : NodeOf<Tag::kAlterObjectSchemaStmt> {
  ObjectType object_type = ObjectType::kAccessMethod;
  RangeVar* relation = nullptr;
  Node* object = nullptr;
  std::string_view newschema;
  bool missing_ok = false;
  FIELDS(object_type, relation, object, newschema, missing_ok)
};

struct AlterOwnerStmt : NodeOf<Tag::kAlterOwnerStmt> {
  ObjectType object_type = ObjectType::kAccessMethod;
  RangeVar* relation = nullptr;
  Node* object = nullptr;
  RoleSpec* newowner = nullptr;
  FIELDS(object_type, relation, object, newowner)
};

struct CreateFunctionStmt : NodeOf<Tag::kCreateFunctionStmt> {
  bool is_procedure = false;
  bool replace = false;
  NodeList funcname;    // String
  NodeList parameters;  // FunctionParameter
  TypeName* return_type = nullptr;
  NodeList options;  // DefElem
  Node* sql_body = nullptr;
  FIELDS(is_procedure, replace, funcname, parameters, return_type, options, sql_body)
};

struct FunctionParameter : NodeOf<Tag::kFunctionParameter> {
  std::string_view name;
  TypeName* arg_type = nullptr;
  FunctionParameterMode mode = FunctionParameterMode::kDefault;
  Node* defexpr = nullptr;
  FIELDS(name, arg_type, mode, defexpr)
};

struct AlterFunctionStmt : NodeOf<Tag::kAlterFunctionStmt> {
  ObjectType objtype = ObjectType::kAccessMethod;
  ObjectWithArgs* func = nullptr;
  NodeList actions;  // DefElem
  FIELDS(objtype, func, actions)
};

struct DoStmt : NodeOf<Tag::kDoStmt> {
  NodeList args;  // DefElem
  FIELDS(args)
};

struct CallStmt : NodeOf<Tag::kCallStmt> {
  FuncCall* funccall = nullptr;
  FIELDS(funccall)
};

// CREATE AGGREGATE, OPERATOR, TYPE, TEXT SEARCH ..., COLLATION.
struct DefineStmt : NodeOf<Tag::kDefineStmt> {
  ObjectType kind = ObjectType::kAccessMethod;
  bool oldstyle = false;
  NodeList defnames;    // String
  NodeList args;        // ListNode of FunctionParameter and an Integer
  NodeList definition;  // DefElem
  bool if_not_exists = false;
  bool replace = false;
  FIELDS(kind, oldstyle, defnames, args, definition, if_not_exists, replace)
};

struct CreateDomainStmt : NodeOf<Tag::kCreateDomainStmt> {
  NodeList domainname;  // String
  TypeName* type_name = nullptr;
  CollateClause* coll_clause = nullptr;
  NodeList constraints;  // Constraint
  FIELDS(domainname, type_name, coll_clause, constraints)
};

// subtype 'T' default, 'N' drop not null, 'O' set not null, 'C' add, 'X' drop, 'V' validate constraint.
struct AlterDomainStmt : NodeOf<Tag::kAlterDomainStmt> {
  char subtype = 0;
  NodeList type_name;  // String
  std::string_view name;
  Node* def = nullptr;
  DropBehavior behavior = DropBehavior::kRestrict;
  bool missing_ok = false;
  FIELDS(subtype, type_name, name, def, behavior, missing_ok)
};

struct CompositeTypeStmt : NodeOf<Tag::kCompositeTypeStmt> {
  RangeVar* typevar = nullptr;
  NodeList coldeflist;  // ColumnDef
  FIELDS(typevar, coldeflist)
};

struct CreateEnumStmt : NodeOf<Tag::kCreateEnumStmt> {
  NodeList type_name;  // String
  NodeList vals;       // String
  FIELDS(type_name, vals)
};

struct AlterEnumStmt : NodeOf<Tag::kAlterEnumStmt> {
  NodeList type_name;  // String
  std::string_view old_val;
  std::string_view new_val;
  std::string_view new_val_neighbor;
  bool new_val_is_after = false;
  bool skip_if_new_val_exists = false;
  FIELDS(type_name, old_val, new_val, new_val_neighbor, new_val_is_after, skip_if_new_val_exists)
};

struct CreateRangeStmt : NodeOf<Tag::kCreateRangeStmt> {
  NodeList type_name;  // String
  NodeList params;     // DefElem
  FIELDS(type_name, params)
};

struct AlterTypeStmt : NodeOf<Tag::kAlterTypeStmt> {
  NodeList type_name;  // String
  NodeList options;    // DefElem
  FIELDS(type_name, options)
};

struct AlterCollationStmt : NodeOf<Tag::kAlterCollationStmt> {
  NodeList collname;  // String
  FIELDS(collname)
};

struct AlterOperatorStmt : NodeOf<Tag::kAlterOperatorStmt> {
  ObjectWithArgs* opername = nullptr;
  NodeList options;  // DefElem
  FIELDS(opername, options)
};

struct CreateOpClassStmt : NodeOf<Tag::kCreateOpClassStmt> {
  NodeList opclassname;   // String
  NodeList opfamilyname;  // String
  std::string_view amname;
  TypeName* datatype = nullptr;
  NodeList items;  // CreateOpClassItem
  bool is_default = false;
  FIELDS(opclassname, opfamilyname, amname, datatype, items, is_default)
};

struct CreateOpClassItem : NodeOf<Tag::kCreateOpClassItem> {
  int32_t itemtype = 0;
  ObjectWithArgs* name = nullptr;
  int32_t number = 0;
  NodeList order_family;  // String
  NodeList class_args;    // TypeName
  TypeName* storedtype = nullptr;
  FIELDS(itemtype, name, number, order_family, class_args, storedtype)
};

struct CreateOpFamilyStmt : NodeOf<Tag::kCreateOpFamilyStmt> {
  NodeList opfamilyname;  // String
  std::string_view amname;
  FIELDS(opfamilyname, amname)
};

struct AlterOpFamilyStmt : NodeOf<Tag::kAlterOpFamilyStmt> {
  NodeList opfamilyname;  // String
  std::string_view amname;
  bool is_drop = false;
  NodeList items;  // CreateOpClassItem
  FIELDS(opfamilyname, amname, is_drop, items)
};

struct CreateCastStmt : NodeOf<Tag::kCreateCastStmt> {
  TypeName* sourcetype = nullptr;
  TypeName* targettype = nullptr;
  ObjectWithArgs* func = nullptr;
  CoercionContext context = CoercionContext::kImplicit;
  bool inout = false;
  FIELDS(sourcetype, targettype, func, context, inout)
};

struct CreateTransformStmt : NodeOf<Tag::kCreateTransformStmt> {
  bool replace = false;
  TypeName* type_name = nullptr;
  std::string_view lang;
  ObjectWithArgs* fromsql = nullptr;
  ObjectWithArgs* tosql = nullptr;
  FIELDS(replace, type_name, lang, fromsql, tosql)
};

struct CreateConversionStmt : NodeOf<Tag::kCreateConversionStmt> {
  NodeList conversion_name;  // String
  std::string_view for_encoding_name;
  std::string_view to_encoding_name;
  NodeList func_name;  // String
  bool def = false;
  FIELDS(conversion_name, for_encoding_name, to_encoding_name, func_name, def)
};

struct CreatePlangStmt : NodeOf<Tag::kCreatePlangStmt> {
  bool replace = false;
  std::string_view plname;
  NodeList plhandler;    // String
  NodeList plinline;     // String
  NodeList plvalidator;  // String
  bool pltrusted = false;
  FIELDS(replace, plname, plhandler, plinline, plvalidator, pltrusted)
};

struct CreateAmStmt : NodeOf<Tag::kCreateAmStmt> {
  std::string_view amname;
  NodeList handler_name;  // String
  char amtype = 0;
  FIELDS(amname, handler_name, amtype)
};

struct CreateExtensionStmt : NodeOf<Tag::kCreateExtensionStmt> {
  std::string_view extname;
  bool if_not_exists = false;
  NodeList options;  // DefElem
  FIELDS(extname, if_not_exists, options)
};

struct AlterExtensionStmt : NodeOf<Tag::kAlterExtensionStmt> {
  std::string_view extname;
  NodeList options;  // DefElem
  FIELDS(extname, options)
};

// action is 1 to add, -1 to drop.
struct AlterExtensionContentsStmt : NodeOf<Tag::kAlterExtensionContentsStmt> {
  std::string_view extname;
  int32_t action = 0;
  ObjectType objtype = ObjectType::kAccessMethod;
  Node* object = nullptr;
  FIELDS(extname, action, objtype, object)
};

struct CreateEventTrigStmt : NodeOf<Tag::kCreateEventTrigStmt> {
  std::string_view trigname;
  std::string_view eventname;
  NodeList whenclause;  // DefElem
  NodeList funcname;    // String
  FIELDS(trigname, eventname, whenclause, funcname)
};

struct AlterEventTrigStmt : NodeOf<Tag::kAlterEventTrigStmt> {
  std::string_view trigname;
  char tgenabled = 0;
  FIELDS(trigname, tgenabled)
};

struct AlterTsDictionaryStmt : NodeOf<Tag::kAlterTsDictionaryStmt> {
  NodeList dictname;  // String
  NodeList options;   // DefElem
  FIELDS(dictname, options)
};

struct AlterTsConfigurationStmt : NodeOf<Tag::kAlterTsConfigurationStmt> {
  AlterTsConfigType kind = AlterTsConfigType::kAddMapping;
  NodeList cfgname;    // String
  NodeList tokentype;  // String
  NodeList dicts;      // ListNode of String
  bool override = false;
  bool replace = false;
  bool missing_ok = false;
  FIELDS(kind, cfgname, tokentype, dicts, override, replace, missing_ok)
};

struct CreateFdwStmt : NodeOf<Tag::kCreateFdwStmt> {
  std::string_view fdwname;
  NodeList func_options;  // DefElem
  NodeList options;       // DefElem
  FIELDS(fdwname, func_options, options)
};

struct AlterFdwStmt : NodeOf<Tag::kAlterFdwStmt> {
  std::string_view fdwname;
  NodeList func_options;  // DefElem
  NodeList options;       // DefElem
  FIELDS(fdwname, func_options, options)
};

struct CreateForeignServerStmt : NodeOf<Tag::kCreateForeignServerStmt> {
  std::string_view servername;
  std::string_view servertype;
  std::string_view version;
  std::string_view fdwname;
  bool if_not_exists = false;
  NodeList options;  // DefElem
  FIELDS(servername, servertype, version, fdwname, if_not_exists, options)
};

struct AlterForeignServerStmt : NodeOf<Tag::kAlterForeignServerStmt> {
  std::string_view servername;
  std::string_view version;
  NodeList options;  // DefElem
  bool has_version = false;
  FIELDS(servername, version, options, has_version)
};

struct CreateUserMappingStmt : NodeOf<Tag::kCreateUserMappingStmt> {
  RoleSpec* user = nullptr;
  std::string_view servername;
  bool if_not_exists = false;
  NodeList options;  // DefElem
  FIELDS(user, servername, if_not_exists, options)
};

struct AlterUserMappingStmt : NodeOf<Tag::kAlterUserMappingStmt> {
  RoleSpec* user = nullptr;
  std::string_view servername;
  NodeList options;  // DefElem
  FIELDS(user, servername, options)
};

struct DropUserMappingStmt : NodeOf<Tag::kDropUserMappingStmt> {
  RoleSpec* user = nullptr;
  std::string_view servername;
  bool missing_ok = false;
  FIELDS(user, servername, missing_ok)
};

struct ImportForeignSchemaStmt : NodeOf<Tag::kImportForeignSchemaStmt> {
  std::string_view server_name;
  std::string_view remote_schema;
  std::string_view local_schema;
  ImportForeignSchemaType list_type = ImportForeignSchemaType::kAll;
  NodeList table_list;  // RangeVar
  NodeList options;     // DefElem
  FIELDS(server_name, remote_schema, local_schema, list_type, table_list, options)
};

struct PublicationTable : NodeOf<Tag::kPublicationTable> {
  RangeVar* relation = nullptr;
  Node* where_clause = nullptr;
  NodeList columns;  // String
  FIELDS(relation, where_clause, columns)
};

struct PublicationObjSpec : NodeOf<Tag::kPublicationObjSpec> {
  PublicationObjSpecType pubobjtype = PublicationObjSpecType::kTable;
  std::string_view name;
  PublicationTable* pubtable = nullptr;
  Location location;
  FIELDS(pubobjtype, name, pubtable, location)
};

struct CreatePublicationStmt : NodeOf<Tag::kCreatePublicationStmt> {
  std::string_view pubname;
  NodeList options;     // DefElem
  NodeList pubobjects;  // PublicationObjSpec
  bool for_all_tables = false;
  FIELDS(pubname, options, pubobjects, for_all_tables)
};

struct AlterPublicationStmt : NodeOf<Tag::kAlterPublicationStmt> {
  std::string_view pubname;
  NodeList options;     // DefElem
  NodeList pubobjects;  // PublicationObjSpec
  bool for_all_tables = false;
  AlterPublicationAction action = AlterPublicationAction::kAddObjects;
  FIELDS(pubname, options, pubobjects, for_all_tables, action)
};

struct CreateSubscriptionStmt : NodeOf<Tag::kCreateSubscriptionStmt> {
  std::string_view subname;
  std::string_view conninfo;
  NodeList publication;  // String
  NodeList options;      // DefElem
  FIELDS(subname, conninfo, publication, options)
};

struct AlterSubscriptionStmt : NodeOf<Tag::kAlterSubscriptionStmt> {
  AlterSubscriptionType kind = AlterSubscriptionType::kOptions;
  std::string_view subname;
  std::string_view conninfo;
  NodeList publication;  // String
  NodeList options;      // DefElem
  FIELDS(kind, subname, conninfo, publication, options)
};

struct DropSubscriptionStmt : NodeOf<Tag::kDropSubscriptionStmt> {
  std::string_view subname;
  bool missing_ok = false;
  DropBehavior behavior = DropBehavior::kRestrict;
  FIELDS(subname, missing_ok, behavior)
};

}  // namespace walden::ast

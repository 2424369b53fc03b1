// Roles, privileges and policies. Field names follow PostgreSQL's raw parse nodes.
// Everything lives in the arena of its ParseTree; see ast_node.h for ownership.
#pragma once

#include "node/sql/parser/ast_node.h"

namespace walden::ast {

struct RangeVar;
struct VariableSetStmt;

// A role by name or keyword.
struct RoleSpec : NodeOf<Tag::kRoleSpec> {
  RoleSpecType roletype = RoleSpecType::kCstring;
  std::string_view rolename;
  Location location;
  FIELDS(roletype, rolename, location)
};

struct CreateRoleStmt : NodeOf<Tag::kCreateRoleStmt> {
  RoleStmtType stmt_type = RoleStmtType::kRole;
  std::string_view role;
  NodeList options;  // DefElem
  FIELDS(stmt_type, role, options)
};

// action is 1 to set or add members, -1 to drop members.
struct AlterRoleStmt : NodeOf<Tag::kAlterRoleStmt> {
  RoleSpec* role = nullptr;
  NodeList options;  // DefElem
  int32_t action = 0;
  FIELDS(role, options, action)
};

struct AlterRoleSetStmt : NodeOf<Tag::kAlterRoleSetStmt> {
  RoleSpec* role = nullptr;
  std::string_view database;
  VariableSetStmt* setstmt = nullptr;
  FIELDS(role, database, setstmt)
};

struct DropRoleStmt : NodeOf<Tag::kDropRoleStmt> {
  NodeList roles;  // RoleSpec
  bool missing_ok = false;
  FIELDS(roles, missing_ok)
};

// No privileges means ALL.
struct GrantStmt : NodeOf<Tag::kGrantStmt> {
  bool is_grant = false;
  GrantTargetType targtype = GrantTargetType::kObject;
  ObjectType objtype = ObjectType::kAccessMethod;
  NodeList objects;     // as objtype says
  NodeList privileges;  // AccessPriv
  NodeList grantees;    // RoleSpec
  bool grant_option = false;
  RoleSpec* grantor = nullptr;
  DropBehavior behavior = DropBehavior::kRestrict;
  FIELDS(is_grant, targtype, objtype, objects, privileges, grantees, grant_option, grantor, behavior)
};

// priv_name is null for ALL (with columns).
struct AccessPriv : NodeOf<Tag::kAccessPriv> {
  std::string_view priv_name;
  NodeList cols;  // String
  FIELDS(priv_name, cols)
};

struct GrantRoleStmt : NodeOf<Tag::kGrantRoleStmt> {
  NodeList granted_roles;  // AccessPriv
  NodeList grantee_roles;  // RoleSpec
  bool is_grant = false;
  bool admin_opt = false;
  RoleSpec* grantor = nullptr;
  DropBehavior behavior = DropBehavior::kRestrict;
  FIELDS(granted_roles, grantee_roles, is_grant, admin_opt, grantor, behavior)
};

struct AlterDefaultPrivilegesStmt : NodeOf<Tag::kAlterDefaultPrivilegesStmt> {
  NodeList options;  // DefElem
  GrantStmt* action = nullptr;
  FIELDS(options, action)
};

struct CreatePolicyStmt : NodeOf<Tag::kCreatePolicyStmt> {
  std::string_view policy_name;
  RangeVar* table = nullptr;
  std::string_view cmd_name;
  bool permissive = false;
  NodeList roles;  // RoleSpec
  Node* qual = nullptr;
  Node* with_check = nullptr;
  FIELDS(policy_name, table, cmd_name, permissive, roles, qual, with_check)
};

struct AlterPolicyStmt : NodeOf<Tag::kAlterPolicyStmt> {
  std::string_view policy_name;
  RangeVar* table = nullptr;
  NodeList roles;  // RoleSpec
  Node* qual = nullptr;
  Node* with_check = nullptr;
  FIELDS(policy_name, table, roles, qual, with_check)
};

struct DropOwnedStmt : NodeOf<Tag::kDropOwnedStmt> {
  NodeList roles;  // RoleSpec
  DropBehavior behavior = DropBehavior::kRestrict;
  FIELDS(roles, behavior)
};

struct ReassignOwnedStmt : NodeOf<Tag::kReassignOwnedStmt> {
  NodeList roles;  // RoleSpec
  RoleSpec* newrole = nullptr;
  FIELDS(roles, newrole)
};

}  // namespace walden::ast

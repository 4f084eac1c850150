import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface UserRow {
  readonly id: number
  readonly name: string
  readonly email: string
}

// `millrace dev` says where it keeps its data.
const folder = process.env['MILLRACE_DATA'] ?? join(import.meta.dirname, '../.millrace')
let opened: DatabaseSync | undefined

/** Opened at its first use. The constraint comes with the table, and stays away once it was dropped. */
function database(): DatabaseSync {
  if (opened) return opened
  mkdirSync(folder, { recursive: true })
  opened = new DatabaseSync(join(folder, 'users.sqlite'))
  const isThere = opened.prepare("select 1 from sqlite_master where name = 'users'").get()
  if (!isThere) {
    opened.exec('create table users (id integer primary key, name text, email text)')
    addConstraint()
  }
  return opened
}

export function addConstraint(): void {
  database().exec('create unique index if not exists one_email on users (email)')
}

export function dropConstraint(): void {
  database().exec('drop index if exists one_email')
}

export function insertUser(name: string, email: string): void {
  database().prepare('insert into users (name, email) values (?, ?)').run(name, email)
}

export function deleteUsers(): void {
  database().exec('delete from users')
}

export function allUsers(): readonly UserRow[] {
  const rows = database().prepare('select id, name, email from users order by id').all()
  return rows as unknown as readonly UserRow[]
}

export function closeDatabase(): void {
  opened?.close()
  opened = undefined
}

import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'

import { root } from './read-page.ts'

export interface ExampleModule {
  /** The export that the example is about. */
  readonly name: string
  readonly text: string
  /** `file:line` */
  readonly place: string
}

const entries = ['', '/client', '/broker', '/drain', '/postgres', '/testing']

/**
 * What an example may take for granted, as a reader does: a topic, a configuration, a function of the application.
 * Only what an example does not declare itself is put before it.
 */
const prelude: Readonly<Record<string, string>> = {
  assert: "import assert from 'node:assert/strict'",
  z: "import { z } from 'zod'",
  Pool: "import { Pool } from 'pg'",
  UserEvent:
    'interface UserEvent { readonly event_name?: string; readonly id?: string; readonly email?: string }',
  users: "const users = defineTopic('users', { value: json<UserEvent>() })",
  mail: 'const mail = defineConsumer({ topic: users, each: ({ value }) => value.email })',
  config: 'const config = defineConfig({ app: defineApp({ consumers: [mail] }) })',
  client: "const client = openClient({ brokers: ['localhost:9092'] })",
  sendMail: 'declare function sendMail(...given: readonly unknown[]): Promise<void>',
  createUser: 'declare function createUser(...given: readonly unknown[]): Promise<void>',
}

/** The `@example` of every value that a subpath exports, each as a module that imports what it names. */
export async function exampleModules(): Promise<readonly ExampleModule[]> {
  const source = join(root, 'packages/millrace/src')
  const subpathByName = new Map<string, string>()
  for (const entry of entries) {
    const path = join(source, `.${entry}`, 'index.ts')
    const exported = (await import(path)) as Readonly<Record<string, unknown>>
    for (const name of Object.keys(exported))
      if (!subpathByName.has(name)) subpathByName.set(name, `millrace${entry}`)
  }
  const found: ExampleModule[] = []
  for (const file of await readdir(source, { recursive: true })) {
    if (!file.endsWith('.ts') || file.endsWith('.test.ts')) continue
    const path = join(source, file)
    const text = await readFile(path, 'utf8')
    const documented =
      /\/\*\*((?:(?!\*\/)[\s\S])*?@example(?:(?!\*\/)[\s\S])*?)\*\/\s*export (?:abstract |async )*(?:function|class|const) (\w+)/g
    for (const match of text.matchAll(documented)) {
      const [, comment = '', name = ''] = match
      if (!subpathByName.has(name)) continue
      const line = text.slice(0, match.index).split('\n').length
      const code = codeOf(comment)
      found.push({
        name,
        text: `${headOf(code, subpathByName)}\n${code}\nexport {}\n`,
        place: `${relative(root, path)}:${line}`,
      })
    }
  }
  return found
}

/** The lines from `@example` to the next tag. */
function codeOf(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\* ?/, ''))
  const start = lines.findIndex((line) => line.startsWith('@example'))
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => line.startsWith('@'))
  const first = (lines[start] ?? '').replace('@example', '').trim()
  return [first, ...(end < 0 ? rest : rest.slice(0, end))].join('\n').trim()
}

function headOf(code: string, subpathByName: ReadonlyMap<string, string>): string {
  const taken = new Set<string>()
  const head = (): string =>
    Object.entries(prelude)
      .flatMap(([name, declaration]) => (taken.has(name) ? [declaration] : []))
      .join('\n')
  // What is put in front needs things in front of it, too.
  for (let before = -1; before < taken.size;) {
    before = taken.size
    const text = `${head()}\n${code}`
    for (const name of Object.keys(prelude))
      if (uses(text, name) && !declares(code, name)) taken.add(name)
  }
  const text = `${head()}\n${code}`
  const imports = [...subpathByName].flatMap(([name, subpath]) =>
    uses(text, name) && !declares(text, name) ? [`import { ${name} } from '${subpath}'`] : [],
  )
  return [...imports, head()].join('\n')
}

function uses(text: string, name: string): boolean {
  return new RegExp(`(?<![.\\w'/])${name}(?![\\w'])`).test(text)
}

function declares(text: string, name: string): boolean {
  return new RegExp(`(?:const|using|class|function|interface) ${name}\\b`).test(text)
}

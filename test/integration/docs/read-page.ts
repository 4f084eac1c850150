/**
 * The code of a page, and what is to be done with it:
 *
 * - ` ```ts ` compiles as a module of its own. One that begins with `// name.ts` is also written to that file.
 * - ` ```sh ` holds commands that the `millrace` program must understand.
 * - ` ```sh run ` is run, in the page's folder, in the page's order. What starts and stays (`millrace dev`) keeps running.
 * - ` ```txt ` below a run is what its reader sees; `…` stands for anything, on a line of its own for any lines.
 * - ` ```txt dev ` is what the command that stays says later.
 */
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../../..')

export interface Block {
  readonly language: string
  /** The words behind the language. */
  readonly words: readonly string[]
  readonly text: string
  readonly line: number
  /** From `// name.ts` in the first line. */
  readonly file: string | undefined
}

export interface Page {
  /** From the root of the repository. */
  readonly path: string
  readonly text: string
  readonly blocks: readonly Block[]
}

/** From the root of the repository. */
export const pagePaths: readonly string[] = [
  'README.md',
  'packages/millrace/README.md',
  ...['docs/start', 'docs/guides'].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  ),
]

export async function readPage(path: string): Promise<Page> {
  const text = await readFile(join(root, path), 'utf8')
  const blocks: Block[] = []
  for (const match of text.matchAll(/^```(\S*)(.*)\n([\s\S]*?)^```$/gm)) {
    const [, language = '', rest = '', body = ''] = match
    blocks.push({
      language,
      words: rest.split(' ').filter((word) => word !== ''),
      text: body,
      line: text.slice(0, match.index).split('\n').length,
      file: /^\/\/ (\S+\.ts)\n/.exec(body)?.[1],
    })
  }
  return { path, text, blocks }
}

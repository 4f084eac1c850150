import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import { projectName, type Template } from './options.ts'

export interface Project {
  /** Absolute. */
  readonly folder: string
  readonly template: Template
  readonly millrace: string
}

const templatesFolder = join(import.meta.dirname, '../templates')

/** Names under which npm would not pack a file, or take it for its own. */
const realNames: Readonly<Record<string, string>> = {
  _gitignore: '.gitignore',
  '_package.json': 'package.json',
}

/** A folder that holds something already; nothing was written. */
export class FolderTaken extends Error {}

/**
 * Writes the files of a template into a folder that is empty or not there yet.
 * @returns their paths in it
 * @throws FolderTaken
 */
export async function writeProject({
  folder,
  template,
  millrace,
}: Project): Promise<readonly string[]> {
  const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (there.some((name) => name !== '.git'))
    throw new FolderTaken(`${folder} is not empty: ${there.slice(0, 5).join(', ')}`)

  const written: string[] = []
  // What a template has of its own stands for what all have.
  const files = new Map<string, string>()
  for (const layer of ['base', template])
    for (const path of await filesIn(join(templatesFolder, layer)))
      files.set(path, join(templatesFolder, layer, path))
  for (const [path, source] of files) {
    const text = (await readFile(source, 'utf8'))
      .replaceAll('{{name}}', projectName(folder))
      .replaceAll('{{millrace}}', millrace)
    const target = join(dirname(path), realNames[basename(path)] ?? basename(path))
    await mkdir(join(folder, dirname(target)), { recursive: true })
    await writeFile(join(folder, target), text)
    written.push(target)
  }
  return written.toSorted()
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true })
  const isFile = await Promise.all(
    all.map(async (path) => (await stat(join(folder, path))).isFile()),
  )
  return all.filter((_, index) => isFile[index])
}

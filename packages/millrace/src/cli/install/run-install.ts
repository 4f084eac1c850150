import { access, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline/promises'

import { failure } from '../../errors/index.ts'
import type { Printer } from '../printer.ts'
import { bootFiles, type NewFile } from './boot-files.ts'
import { readProject, type Framework } from './read-project.ts'
import { frameworkTitles, wiringOf, type WiringStep } from './wiring.ts'

export interface InstallOptions {
  readonly folder: string
  /** Overwrites boot files without asking. */
  readonly isForced: boolean
  readonly isDryRun: boolean
  readonly print: Printer
}

type Fate = 'written' | 'overwritten' | 'kept'

interface Installed {
  readonly framework: Framework
  readonly executed: boolean
  readonly files: readonly { readonly path: string; readonly fate: Fate }[]
  readonly steps: readonly WiringStep[]
}

/**
 * Writes the boot files into an application's folder.
 * @throws MR_INSTALL_FILES_EXIST when nobody could be asked
 */
export async function runInstall({
  folder,
  isForced,
  isDryRun,
  print,
}: InstallOptions): Promise<void> {
  const project = await readProject(folder)
  const sourceFolder = (await exists(join(folder, 'src'))) ? 'src' : ''
  const wiring = wiringOf(project, sourceFolder)
  const boot = bootFiles(project)
  const there = await existing(folder, boot)
  const overwritten = isForced || isDryRun ? there : await asked(there, print)

  const fates = new Map<NewFile, Fate>()
  for (const file of boot)
    fates.set(
      file,
      !there.includes(file) ? 'written' : overwritten.includes(file) ? 'overwritten' : 'kept',
    )
  // What stands there may hold more than this command knows, so it is never overwritten.
  const { file: wired } = wiring
  if (wired) fates.set(wired, (await exists(join(folder, wired.path))) ? 'kept' : 'written')
  if (!isDryRun)
    for (const [file, fate] of fates)
      if (fate !== 'kept') await writeNew(join(folder, file.path), file.text)

  const isUnwired = wired !== undefined && fates.get(wired) === 'kept'
  const own: WiringStep[] = isUnwired
    ? [{ where: `${wired.path}, which is there already`, lines: wired.text.trimEnd().split('\n') }]
    : []
  const installed: Installed = {
    framework: project.framework,
    executed: !isDryRun,
    files: [...fates].map(([{ path }, fate]) => ({ path, fate })),
    steps: [...own, ...wiring.steps],
  }
  await print.document(installed, () => installText(installed))
  const next = [
    ...(project.dependsOnMillrace ? [] : ['npm install millrace']),
    'npx millrace dev   # broker and worker on this machine; Ctrl-C stops',
  ]
  if (!isDryRun) print.talk(`\nNext:\n${next.map((line) => `  ${line}`).join('\n')}`)
}

function installText({ framework, executed, files, steps }: Installed): string {
  const verb = (fate: Fate): string => (executed || fate === 'kept' ? fate : `would be ${fate}`)
  return [
    ...files.map(({ path, fate }) => `${path}: ${verb(fate)}`),
    '',
    `Found ${frameworkTitles[framework]}.`,
    ...steps.flatMap(({ where, lines }) => [
      '',
      `${where}:`,
      ...lines.map((line) => `    ${line}`),
    ]),
  ].join('\n')
}

/** Which of the files that exist may be overwritten. */
async function asked(there: readonly NewFile[], print: Printer): Promise<readonly NewFile[]> {
  if (there.length === 0) return []
  if (!process.stdin.isTTY || !print.isTerminal)
    throw failure('MR_INSTALL_FILES_EXIST', { files: there.map(({ path }) => path) })
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const agreed: NewFile[] = []
    for (const file of there) {
      const answer = await prompt.question(`${file.path} is there already. Overwrite it? [y/N] `)
      if (/^y(es)?$/i.test(answer.trim())) agreed.push(file)
    }
    return agreed
  } finally {
    prompt.close()
  }
}

async function existing(folder: string, files: readonly NewFile[]): Promise<readonly NewFile[]> {
  const found = await Promise.all(
    files.map(async (file) => ((await exists(join(folder, file.path))) ? [file] : [])),
  )
  return found.flat()
}

async function writeNew(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

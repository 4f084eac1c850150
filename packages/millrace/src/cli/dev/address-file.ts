import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Where `millrace dev` of a folder says how to reach it, so that other commands there need no address. */
interface AddressFile {
  readonly pid: number
  readonly broker: string
}

export const dataFolderName = '.millrace'
const fileName = 'dev.json'

export async function writeAddressFile(dataFolder: string, broker: string): Promise<void> {
  const content: AddressFile = { pid: process.pid, broker }
  await writeFile(join(dataFolder, fileName), `${JSON.stringify(content)}\n`)
}

export async function removeAddressFile(dataFolder: string): Promise<void> {
  await rm(join(dataFolder, fileName), { force: true })
}

/** The broker address of a `millrace dev` that runs in this folder, or undefined. */
export async function findRunningDev(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, dataFolderName, fileName), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { pid, broker } = parseAddress(text) ?? {}
  return pid !== undefined && isAlive(pid) ? broker : undefined
}

/** Undefined for a file that a crash cut short: nobody runs here then. */
function parseAddress(text: string): AddressFile | undefined {
  try {
    const { pid, broker } = JSON.parse(text) as Partial<AddressFile>
    return typeof pid === 'number' && typeof broker === 'string' ? { pid, broker } : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { failure } from '../../errors/index.ts'
import { readGatewayFile, type GatewayFile } from '../../gateway/index.ts'

/**
 * The file of `--config` when it is a gateway's: JSON. Another one is the application's configuration, of which only the
 * cluster counts.
 * @throws MR_CONFIG_INVALID with every fault, MR_CLI_USAGE when it cannot be read
 */
export async function gatewayFile(
  path: string | undefined,
  folder: string,
): Promise<(GatewayFile & { readonly name: string }) | undefined> {
  if (path === undefined || !/\.json$/i.test(path)) return undefined
  const text = await readFlagFile('--config', path, folder)
  return { ...readGatewayFile(text, path), name: path }
}

/** @throws MR_CLI_USAGE naming the flag */
export async function readFlagFile(flag: string, path: string, folder: string): Promise<string> {
  try {
    return await readFile(isAbsolute(path) ? path : join(folder, path), 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw failure('MR_CLI_USAGE', { reason: `${flag}: ${reason}` }, { cause: error })
  }
}

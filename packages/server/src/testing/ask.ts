/** Reads JSON from an API. @throws Error with what it said when that was not what was asked for */
export async function ask<T>(api: string, path: string, method = 'GET'): Promise<T> {
  const response = await fetch(`${api}${path}`, { method });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

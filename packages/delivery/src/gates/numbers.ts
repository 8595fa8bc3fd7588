/** Four significant digits. */
export function short(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : 'none';
}

export function signed(value: number): string {
  return value > 0 ? `+${short(value)}` : short(value);
}

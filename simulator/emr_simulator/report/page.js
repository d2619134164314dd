// Says what a mark or a bar stands for when it is pointed at or focused.
const tip = document.getElementById('tip');
const place = (x, y) => { const r = tip.getBoundingClientRect();
  tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - r.width - 8)) + 'px';
  tip.style.top = (y + 18 + r.height > innerHeight ? y - r.height - 12 : y + 18) + 'px'; };
for (const el of document.querySelectorAll('[data-tip]')) {
  const show = (x, y) => { tip.textContent = el.dataset.tip; tip.hidden = false; place(x, y); };
  el.addEventListener('pointermove', e => show(e.clientX, e.clientY));
  el.addEventListener('pointerleave', () => { tip.hidden = true; });
  el.addEventListener('focus', () => { const r = el.getBoundingClientRect(); show(r.right, r.bottom); });
  el.addEventListener('blur', () => { tip.hidden = true; });
}

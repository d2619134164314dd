// Reasons on hover or focus, and a cursor that reads every chart at one time.
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
const charts = [...document.querySelectorAll('svg.timed')].map(svg => ({ svg, cursor: svg.querySelector('.cursor'),
  data: JSON.parse(svg.nextElementSibling.textContent), out: svg.parentElement.querySelector('.readout') }));
for (const own of charts) {
  own.svg.addEventListener('pointermove', e => {
    const box = own.svg.getBoundingClientRect();
    const x = (e.clientX - box.left) * own.svg.viewBox.baseVal.width / box.width;
    const { left, right } = own.data;
    if (x < left || x > right) return;
    for (const c of charts) {
      const at = Math.round((x - left) / (right - left) * (c.data.times.length - 1));
      c.cursor.setAttribute('x1', x); c.cursor.setAttribute('x2', x);
      c.out.textContent = c.data.times[at] + '   ' + c.data.series.map(s => s.name + ' ' + s.values[at]).join(' · ')
        + ' (' + c.data.unit + ')';
    }
  });
  own.svg.addEventListener('pointerleave', () => { for (const c of charts) {
    c.cursor.setAttribute('x1', -9); c.cursor.setAttribute('x2', -9); c.out.textContent = ''; } });
}

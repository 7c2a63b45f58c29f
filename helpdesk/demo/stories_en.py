"""Conversations in English. The notation is explained in `helpdesk.demo.story`."""

TEXT = """
= Dishwasher {model} stops mid-cycle
: support high repair, warranty
: Khvylia 45 / Khvylia 60 Inbox
< Hello, our {model} (order {order}) stops about twenty minutes into every programme and shows F4.
We have cleaned the filter and checked the hose. Could somebody have a look? We are in {city}.
+ display.png
<| Hi there, the dishwasher we bought from you in June has started to give up halfway. The display
says F4 and it just sits there full of water. Model {model}, order {order}.
>? {hi}
Sorry to hear that. F4 means that the water level is not reached in time. Could you tell us
whether the tap under the sink is fully open, and send a photo of the rating plate inside the
door?
< The tap is fully open. Photo attached.
+ plate.png
! Under warranty until June. Inlet valve is a known weak part on this batch.
>~ Thank you. It is most likely the inlet valve, which the warranty covers. An engineer will call
you tomorrow to agree a time.
> The engineer reports that the valve was replaced and two programmes ran to the end. Nothing to
pay.
< Working perfectly now, thank you.

= Where is my parcel? Order {order}
: support normal delivery
: Veltra AirFry 5 / Zorya Mini / Vykhor R1
< Hi, I ordered {model} six days ago and tracking has not moved since Thursday. Is it lost?
<| Could you check on order {order}? The carrier says "awaiting parcel", so I suspect it never
left your warehouse.
! Parcel sits in the sorting centre, label torn. Carrier reprints today.
>? {hi}
I found it: the label was damaged and the parcel waited in the sorting centre. It is on its way
again and should reach {city} on the day after tomorrow. Is the address still right?
< Yes, same address. Thanks for chasing it.
> It was delivered this morning. I have refunded the delivery fee for the delay.

= Invoice with VAT number
: org billing normal documents
: two air conditioners / office refrigerator / annual maintenance
< Good morning, could you reissue the invoice for {model} (order {order}) with our VAT number? Our
accountant cannot book it otherwise.
>? {hi}
Of course. Please send the VAT number and the company name exactly as registered.
< UA 3128 4471 09, details are in the attached certificate.
+ certificate.pdf
> The corrected invoice is attached; the old one has been cancelled.
+ invoice.pdf

= Charged twice for order {order}
: billing high payment
: Ostriv 320 / Nordhaus W7
< I have just noticed two payments of UAH {sum} for the same {model}. Please refund one of them as
soon as possible.
+ statement.png
! Second capture confirmed in the bank's console. Refund started, reference in the ledger.
>? {hi}
You are right, the second payment was taken by mistake, and I am sorry about that. The refund left
us today; it usually arrives within three working days. Will you let me know if it does not?
< It has arrived. Thanks for sorting this out so quickly.

= Can I change the delivery date?
: support normal delivery
: Ostriv 360 NoFrost / Nordhaus D8
< We are moving house and will not get the keys before Friday. Can the {model} come on Saturday
instead of Wednesday?
> {hi}
Saturday works. I have booked 10:00 to 14:00 and the driver will ring an hour before.
< Brilliant, thank you.

= Robot vacuum keeps falling off the map
: support low how-to
: Vykhor R1 / Vykhor R2 Max
< My {model} maps the flat perfectly and then forgets everything when I move the dock. Is there a
way to keep the map?
>? {hi}
The map belongs to the position of the dock. Move the dock, choose "Relocate" in the app and press
start from the new place: the rooms stay. Did that help?
< That did it. Might be worth a line in the manual!

= Complaint about the installation
: support urgent complaint, installation
: Bryz 09 / Bryz 12 Inverter
< I am quite disappointed. Your team installed the {model} yesterday, left dust everywhere and
drilled the hole ten centimetres off. Please call me today.
+ wall.png
>? {hi}
I am sorry; that is not the standard we promise. I have spoken with the team leader, and a
plasterer can come tomorrow at our expense. Would the morning suit you?
< Morning is fine. I will be in from nine.
! Team leader confirmed 09:30. Cost goes to the contractor.
>~ Booked for 09:30. I will check with you afterwards.
< They repaired the wall and cleaned up. I appreciate how you handled it.

= Spare glass plate for {model}
: support low spare parts
: microwave Zorya 20 / microwave Zorya 25 Grill
< Hello, I dropped the glass plate of my {model}. Do you sell them separately?
>? {hi}
We do: UAH {sum}, two days to {city}. Shall I order one for you?
< Yes please.
> Ordered under number {order}. You can pay on delivery.

= Return within 14 days
: billing normal return
: Veltra AirFry 5 / kettle Zorya Retro
< I would like to return {model}, order {order}. It is unopened; we received two as presents.
>? {hi}
No problem. Please fill in the attached form and put it into the box. The courier can collect it;
is tomorrow good?
+ return-form.pdf
< Tomorrow after six, please.
> It has arrived and UAH {sum} is on its way to your card.

= Quote for ten washing machines
: org billing normal wholesale
: Nordhaus W7 / Veltra Wash 700
< We run a small chain of hostels and would like a quote for ten {model} with installation in
{city}.
>? {hi}
Thank you for asking. The quote is attached: 8 % off, delivery in twelve working days, two years
of warranty for business use. Would you like a maintenance contract as well?
+ quote.pdf
< Please include maintenance as an option. Our board meets on Monday.
> Done, the new version is attached and valid until the end of the month.
+ quote-2.pdf

= Smell of gas near the boiler
: support urgent safety
: Zharyna 24 / Zharyna 18 Duo
< There is a faint smell of gas next to our {model}. I have opened the windows. What now?
> {hi}
Please close the gas tap, leave the windows open, do not switch anything on or off, and call 104,
the gas emergency line. Our engineer will come once they have declared it safe.
! Called the client back: emergency service is there. Engineer on standby.
< They found a loose fitting on the meter, not on your boiler. All safe now.
> Thank you for telling us. We will still inspect the boiler free of charge on Thursday.

= Language of the app
: support low how-to
: Bryz 09 / Teplo 80
< The app for my {model} shows everything in Ukrainian after the update. How do I get English
back?
> {hi}
Open the profile (bottom right), the second line, and choose "English". It now follows the phone's
language by default.
< Found it, cheers.
"""
